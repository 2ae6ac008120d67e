#include <benchmark/benchmark.h>

#include <vector>

#include "core/noise/aead_choice.h"
#include "core/noise/cipher_state.h"
#include "core/noise/keys.h"

namespace causeway {
namespace {

using noise::Aead;
using noise::CipherState;

Secret<32> key() {
  noise::SodiumRandom random;
  Secret<32> key;
  random.fill(key.bytes());
  return key;
}

// A record as the link seals it.
void BM_Seal(benchmark::State& state) {
  CipherState sender(key().bytes());
  const auto size = std::size_t(state.range(0));
  std::vector<std::uint8_t> record(size + CipherState::kTag, 0x5a);
  for (auto _ : state) {
    if (!sender.seal({}, record, size)) state.SkipWithError("out of nonces");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
  state.SetLabel(noise::aead().of(size).name());
}

// Opening happens in place, so each round begins with a copy of the sealed record: a hundredth of the time.
void BM_Open(benchmark::State& state) {
  CipherState both(key().bytes());
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
  state.SetLabel(noise::aead().of(size).name());
}

using Make = std::unique_ptr<Aead> (*)();

// One library alone, to see from which size on the other is faster.
void BM_SealBy(benchmark::State& state, Make make) {
  std::unique_ptr<Aead> aead = make();
  if (!aead) return state.SkipWithError("not in this build");
  const Secret<32> secret = key();
  const auto size = std::size_t(state.range(0));
  std::vector<std::uint8_t> record(size + Aead::kTag, 0x5a);
  for (auto _ : state) {
    aead->seal(secret, {}, {}, record, size);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}

void BM_OpenBy(benchmark::State& state, Make make) {
  std::unique_ptr<Aead> aead = make();
  if (!aead) return state.SkipWithError("not in this build");
  const Secret<32> secret = key();
  const auto size = std::size_t(state.range(0));
  std::vector<std::uint8_t> sealed(size + Aead::kTag, 0x5a);
  aead->seal(secret, {}, {}, sealed, size);
  std::vector<std::uint8_t> record(sealed.size());
  for (auto _ : state) {
    record = sealed;
    if (!aead->open(secret, {}, {}, record)) state.SkipWithError("not what was sealed");
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(size));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (int size : {16, 64, 256, 512, 768, 1024, 1400, 4096, 16384}) benchmark->Arg(size);
  benchmark->ArgName("record");
}

BENCHMARK(BM_Seal)->Apply(sizes);
BENCHMARK(BM_Open)->Apply(sizes);
BENCHMARK_CAPTURE(BM_SealBy, libsodium, noise::libsodium_aead)->Apply(sizes);
BENCHMARK_CAPTURE(BM_SealBy, libcrypto, noise::libcrypto_aead)->Apply(sizes);
BENCHMARK_CAPTURE(BM_OpenBy, libsodium, noise::libsodium_aead)->Apply(sizes);
BENCHMARK_CAPTURE(BM_OpenBy, libcrypto, noise::libcrypto_aead)->Apply(sizes);

}  // namespace
}  // namespace causeway
