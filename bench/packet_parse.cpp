#include <benchmark/benchmark.h>

#include <vector>

#include "core/packet/build.h"
#include "core/packet/checksum.h"
#include "core/packet/parse.h"

namespace causeway {
namespace {

const packet::Address kApp4 = packet::Address::v4(10, 1, 0, 2), kService4 = packet::Address::v4(10, 96, 0, 10);
const packet::Address kApp6 = *packet::Address::parse("fd00::2"), kService6 = *packet::Address::parse("fd00:10:96::a");

// A TCP packet from the app, with a right checksum.
std::vector<std::uint8_t> tcp_packet(bool v6, std::size_t payload) {
  const packet::Address& source = v6 ? kApp6 : kApp4;
  const packet::Address& destination = v6 ? kService6 : kService4;
  const std::size_t ip = v6 ? 40 : 20;
  std::vector<std::uint8_t> p(ip + 20 + payload, 0x5a);
  std::fill_n(p.begin(), ip + 20, std::uint8_t(0));
  if (v6) {
    p[0] = 0x60;
    store16(&p[4], std::uint16_t(20 + payload));
    p[6] = packet::kTcp;
    p[7] = 64;
    std::copy_n(source.bytes().begin(), 16, &p[8]);
    std::copy_n(destination.bytes().begin(), 16, &p[24]);
  } else {
    p[0] = 0x45;
    store16(&p[2], std::uint16_t(p.size()));
    p[8] = 64;
    p[9] = packet::kTcp;
    std::copy_n(source.bytes().begin(), 4, &p[12]);
    std::copy_n(destination.bytes().begin(), 4, &p[16]);
    store16(&p[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, Bytes(p).first(20)))));
  }
  std::uint8_t* tcp = &p[ip];
  store16(tcp, 40000);
  store16(tcp + 2, 80);
  store32(tcp + 4, 1);
  tcp[12] = 0x50;
  tcp[13] = packet::kAck;
  store16(tcp + 14, 0xffff);
  store16(tcp + 16, packet::transport_checksum(source, destination, packet::kTcp, Bytes(p).subspan(ip)));
  return p;
}

// Payload size, IPv6, checksum vouched for by the device.
void BM_PacketParse(benchmark::State& state) {
  const auto p = tcp_packet(state.range(1) != 0, std::size_t(state.range(0)));
  const bool trusted = state.range(2) != 0;
  for (auto _ : state) {
    const auto parsed = packet::parse(p, trusted);
    if (!parsed) state.SkipWithError(packet::drop_name(parsed.error()));
    benchmark::DoNotOptimize(parsed);
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * std::int64_t(p.size()));
}
BENCHMARK(BM_PacketParse)
    ->ArgNames({"payload", "v6", "trusted"})
    ->Args({0, 0, 0})
    ->Args({0, 1, 0})
    ->Args({1460, 0, 0})
    ->Args({1460, 0, 1})
    ->Args({1440, 1, 0})
    ->Args({64000, 0, 1});

void BM_PacketBuildUdp(benchmark::State& state) {
  const std::vector<std::uint8_t> payload(std::size_t(state.range(0)), 0x5a);
  packet::PacketBatch batch;
  for (auto _ : state) {
    packet::build_udp(batch, {kService4, 53}, {kApp4, 40000}, payload);
    benchmark::DoNotOptimize(batch.packets().data());
    batch.clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PacketBuildUdp)->ArgName("payload")->Arg(64)->Arg(1400);

}  // namespace
}  // namespace causeway
