#include <benchmark/benchmark.h>

#include <array>

#include "core/link/frame.h"

namespace causeway {
namespace {

constexpr std::size_t kRecord = 16 * 1024;
using Record = std::array<std::uint8_t, kRecord>;

// A record full of DATA frames with payloads of one size, as a busy link sends; the payload itself is not copied here.
std::size_t write_record(Record& record, std::size_t payload) {
  WireWriter writer(record);
  for (std::uint64_t stream = 1; writer.room() >= link::kDataOverhead + payload; stream += 2) {
    benchmark::DoNotOptimize(link::write_data(writer, stream, 1'000'000 + stream, payload).data());
  }
  return writer.size();
}

void BM_FrameWriteData(benchmark::State& state) {
  Record record{};
  std::size_t size = 0;
  for (auto _ : state) {
    size = write_record(record, std::size_t(state.range(0)));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}
BENCHMARK(BM_FrameWriteData)->ArgName("payload")->Arg(16)->Arg(256)->Arg(1400)->Arg(16000);

void BM_FrameReadData(benchmark::State& state) {
  Record record{};
  const std::size_t size = write_record(record, std::size_t(state.range(0)));
  std::int64_t frames = 0;
  link::Frame frame;
  for (auto _ : state) {
    WireReader reader(Bytes(record).first(size));
    link::ReadFrame result;
    while ((result = link::read_frame(reader, frame)) == link::ReadFrame::kFrame) {
      benchmark::DoNotOptimize(frame.bytes.data());
      ++frames;
    }
    if (result != link::ReadFrame::kEnd) state.SkipWithError("a violation");
  }
  state.SetItemsProcessed(frames);
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}
BENCHMARK(BM_FrameReadData)->ArgName("payload")->Arg(16)->Arg(256)->Arg(1400)->Arg(16000);

// What the life of a short stream needs beside its data.
void BM_FrameStreamLife(benchmark::State& state) {
  Record record{};
  link::OpenFrame open;
  open.stream = 12345;
  open.destination.endpoint = *packet::Endpoint::parse("10.96.0.10:80");
  open.source = *packet::Endpoint::parse("10.1.0.2:40000");
  std::int64_t frames = 0;
  link::Frame frame;
  for (auto _ : state) {
    WireWriter writer(record);
    link::write_open(writer, open);
    link::write_opened(writer, open.stream);
    link::write_credit(writer, open.stream, 1 << 20);
    link::write_fin(writer, open.stream, 5000);
    link::write_ack(writer, 1, 999);
    WireReader reader(Bytes(record).first(writer.size()));
    while (link::read_frame(reader, frame) == link::ReadFrame::kFrame) ++frames;
    benchmark::DoNotOptimize(frame);
  }
  if (frames != state.iterations() * 5) state.SkipWithError("frames were lost");
  state.SetItemsProcessed(frames);
}
BENCHMARK(BM_FrameStreamLife);

}  // namespace
}  // namespace causeway
