#include <benchmark/benchmark.h>

#include <vector>

#include "core/noise/cipher_state.h"
#include "core/noise/keys.h"

namespace causeway {
namespace {

using noise::CipherState;

CipherState cipher() {
  noise::SodiumRandom random;
  std::array<std::uint8_t, 32> key;
  random.fill(key);
  return CipherState(key);
}

void BM_Seal(benchmark::State& state) {
  CipherState sender = cipher();
  const auto size = std::size_t(state.range(0));
  std::vector<std::uint8_t> record(size + CipherState::kTag, 0x5a);
  for (auto _ : state) {
    if (!sender.seal({}, record, size)) state.SkipWithError("out of nonces");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}
BENCHMARK(BM_Seal)->ArgName("record")->Arg(64)->Arg(1400)->Arg(4096)->Arg(16384);

// Opening happens in place, so each round begins with a copy of the sealed record: a hundredth of the time.
void BM_Open(benchmark::State& state) {
  CipherState both = cipher();
  const auto size = std::size_t(state.range(0));
  std::vector<std::uint8_t> sealed(size + CipherState::kTag, 0x5a);
  if (!both.seal({}, sealed, size)) state.SkipWithError("out of nonces");
  std::vector<std::uint8_t> record(sealed.size());
  for (auto _ : state) {
    record = sealed;
    both.set_nonce(0);
    if (!both.open({}, record)) state.SkipWithError("not what was sealed");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}
BENCHMARK(BM_Open)->ArgName("record")->Arg(64)->Arg(1400)->Arg(4096)->Arg(16384);

}  // namespace
}  // namespace causeway
