/* What lwIP asks us, and the one thing we have it do otherwise. */
#ifndef CAUSEWAY_LWIP_HOOKS_H
#define CAUSEWAY_LWIP_HOOKS_H

#include "lwip/arch.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif
u32_t tun_lwip_isn(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port);
#ifdef __cplusplus
}
#endif

/* Received data only marks that an acknowledgement is owed: tun::Stack decides at the end of a turn, when a reply may already
   carry it. lwIP would acknowledge every second super-packet at once and leave the rest to its timer. */
#ifdef tcp_ack
#undef tcp_ack
#define tcp_ack(pcb) tcp_set_flags(pcb, TF_ACK_DELAY)
#endif

#endif
