/* How lwIP is built: only TCP, over IP layers of our own (tun/ip_output.cpp), in one thread that somebody else drives. */
#ifndef CAUSEWAY_LWIPOPTS_H
#define CAUSEWAY_LWIPOPTS_H

/* One thread, no operating system, no timers of its own: tun::Stack calls tcp_slowtmr() for busy connections only. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0
#define TCP_TMR_INTERVAL 50 /* a slow tick, the unit of retransmission, is two of these: 100 ms */

/* Memory comes from the allocator; tun bounds the number of connections and what each may queue. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define mem_clib_malloc tun_lwip_malloc
#define mem_clib_calloc tun_lwip_calloc
#define mem_clib_free tun_lwip_free

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_TCP 1
#define LWIP_CALLBACK_API 1

#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_ICMP 0
#define LWIP_ICMP6 0
#define LWIP_RAW 0
#define LWIP_UDP 0
#define LWIP_DNS 0
#define LWIP_DHCP 0
#define LWIP_AUTOIP 0
#define LWIP_IGMP 0
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SCOPES 0
#define LWIP_IPV6_FORWARD 0
#define LWIP_IPV6_FRAG 0
#define LWIP_IPV6_REASS 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_ND6_QUEUEING 0
#define LWIP_ND6_TCP_REACHABILITY_HINTS 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_HAVE_LOOPIF 0
#define LWIP_NETIF_LOOPBACK 0
#define IP_FORWARD 0
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define LWIP_STATS 0
#define MIB2_STATS 0

/* Headers are built with room for IP only. */
#define PBUF_LINK_HLEN 0
#define PBUF_LINK_ENCAPSULATION_HLEN 0
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* core/packet has checked what comes in, the device finishes what goes out. */
#define CHECKSUM_GEN_IP 0
#define CHECKSUM_GEN_TCP 0
#define CHECKSUM_GEN_UDP 0
#define CHECKSUM_GEN_ICMP 0
#define CHECKSUM_GEN_ICMP6 0
#define CHECKSUM_CHECK_IP 0
#define CHECKSUM_CHECK_TCP 0
#define CHECKSUM_CHECK_UDP 0
#define CHECKSUM_CHECK_ICMP 0
#define CHECKSUM_CHECK_ICMP6 0
#define LWIP_CHECKSUM_ON_COPY 0

/* Segments as large as a packet can be; the device cuts them to the peer's size. */
#define TCP_MSS 65475 /* 65535 - IPv6 header - TCP header */
#define TCP_CALCULATE_EFF_SEND_MSS 0
#define TCP_OVERSIZE 0
/* The default of either is tun::StackOptions' to say, at run time; these are the most it may. */
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 7
#define TCP_WND (4 * 1024 * 1024)
#define TCP_SND_BUF (4 * 1024 * 1024)
#define TCP_SND_QUEUELEN 2048 /* pbufs a connection may queue */
#define TCP_QUEUE_OOSEQ 0     /* a TUN device keeps order, and nothing is then held for a peer that does not */
#define LWIP_TCP_SACK_OUT 0
#define LWIP_TCP_TIMESTAMPS 0
#define TCP_LISTEN_BACKLOG 0
#define TCP_TTL 64
#define LWIP_TCP_KEEPALIVE 0
/* Segments near 64 KB are outside of what the checks allow for; tun keeps to what they mean. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

#define LWIP_HOOK_FILENAME "lwip_hooks.h"
#define LWIP_HOOK_TCP_ISN tun_lwip_isn

#endif
