// What this machine can do at most: loops that only move bytes or only multiply and add.
//
// roofline.py compiles this for the machine at hand and calls it in its own process, so that a
// ceiling is measured on the same memory, in the same rotation, as what is held against it.
//
// Every loop returns or leaves behind something that depends on each of its passes, which
// roofline.py computes another way and compares; a loop that the compiler had removed, merged or
// hoisted would give another result.

#include <cstddef>
#include <cstdint>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace {

// The widest registers that the compiler uses here: 64 bytes with AVX-512, 32 with AVX, else 16.
constexpr std::size_t kVectorBytes = __BIGGEST_ALIGNMENT__;
using Words = std::uint64_t __attribute__((vector_size(kVectorBytes), may_alias));
using Floats = float __attribute__((vector_size(kVectorBytes)));

// Memory may have changed since the last pass, as far as the compiler knows.
void start_of_a_pass() { asm volatile("" ::: "memory"); }

#if defined(__AVX512F__)
void store_past_caches(Words* to, Words value) {
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(value));
}
#elif defined(__AVX__)
void store_past_caches(Words* to, Words value) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(value));
}
#elif defined(__SSE2__)
void store_past_caches(Words* to, Words value) {
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<__m128i>(value));
}
#else
#define NO_STORES_PAST_CACHES
#endif

struct Ordinary {
  static void store(Words* to, Words value) { *to = value; }
  static void finish() {}
};

#ifndef NO_STORES_PAST_CACHES
struct PastCaches {
  static void store(Words* to, Words value) { store_past_caches(to, value); }
  static void finish() { _mm_sfence(); }
};
#endif

// In + Out vectors are moved a step, several steps a turn so that counting costs nothing.
template <int In, int Out, class Store>
void move(const Words* from, Words* to, std::size_t steps, std::size_t passes) {
  constexpr int kSteps = In + Out > 4 ? 1 : 4 / (In + Out) * 2;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    start_of_a_pass();
    for (std::size_t step = 0; step < steps; step += kSteps) {
#pragma GCC unroll 4
      for (int unrolled = 0; unrolled < kSteps; ++unrolled) {
        const Words* in = from + (step + unrolled) * In;
        Words* out = to + (step + unrolled) * Out;
        Words sum = in[0];
        for (int i = 1; i < In; ++i) sum += in[i];
        for (int i = 0; i < Out; ++i) Store::store(out + i, sum);
      }
    }
    Store::finish();
  }
}

template <class Store>
bool move_ratio(int in, int out, const Words* from, Words* to, std::size_t steps,
                std::size_t passes) {
  if (in == 1 && out == 1) return move<1, 1, Store>(from, to, steps, passes), true;
  if (in == 2 && out == 1) return move<2, 1, Store>(from, to, steps, passes), true;
  if (in == 4 && out == 1) return move<4, 1, Store>(from, to, steps, passes), true;
  if (in == 1 && out == 2) return move<1, 2, Store>(from, to, steps, passes), true;
  if (in == 1 && out == 4) return move<1, 4, Store>(from, to, steps, passes), true;
  return false;
}

template <class Store>
void fill(Words* to, std::size_t bytes, std::size_t passes, std::uint64_t first) {
  const std::size_t vectors = bytes / kVectorBytes;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    start_of_a_pass();
    const Words value = Words{} + (first + pass);
    for (std::size_t i = 0; i < vectors; i += 4) {
#pragma GCC unroll 4
      for (std::size_t unrolled = 0; unrolled < 4; ++unrolled) {
        Store::store(to + i + unrolled, value);
      }
    }
    Store::finish();
  }
}

// Enough chains to hide the latency of the instruction, few enough for 16 registers.
constexpr int kChains = 12;

// In assembly because GCC 12 puts moves between the intrinsics, more of them than instructions.
#if defined(__AVX512VNNI__)
#define DOT_INSTRUCTION "vpdpbusd %1, %1, %0"
#define IN_REGISTER "v"
using Integers = std::int32_t __attribute__((vector_size(64)));
#elif defined(__AVXVNNI__)
#define DOT_INSTRUCTION "%{vex%} vpdpbusd %1, %1, %0"
#define IN_REGISTER "x"
using Integers = std::int32_t __attribute__((vector_size(32)));
#elif defined(__ARM_FEATURE_DOTPROD)
#define DOT_INSTRUCTION "sdot %0.4s, %1.16b, %1.16b"
#define IN_REGISTER "w"
using Integers = std::int32_t __attribute__((vector_size(16)));
#endif

#if defined(__AVX512BF16__)
#define BFLOAT_DOT_INSTRUCTION "vdpbf16ps %1, %1, %0"
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define BFLOAT_DOT_INSTRUCTION "bfdot %0.4s, %1.8h, %1.8h"
#endif

}  // namespace

extern "C" {

std::size_t roofline_vector_bytes() { return kVectorBytes; }

// The sum of all 64-bit words, `passes` times over.
std::uint64_t roofline_read(const void* from, std::size_t bytes, std::size_t passes) {
  const auto* words = static_cast<const Words*>(from);
  const std::size_t vectors = bytes / kVectorBytes;
  Words sums[4] = {};
  for (std::size_t pass = 0; pass < passes; ++pass) {
    start_of_a_pass();
    for (std::size_t i = 0; i < vectors; i += 4) {
#pragma GCC unroll 4
      for (std::size_t unrolled = 0; unrolled < 4; ++unrolled) {
        sums[unrolled] += words[i + unrolled];
      }
    }
  }
  const Words total = sums[0] + sums[1] + sums[2] + sums[3];
  std::uint64_t sum = 0;
  for (std::size_t lane = 0; lane < kVectorBytes / sizeof(sum); ++lane) sum += total[lane];
  return sum;
}

// Every word becomes first + passes - 1. False where this CPU has no such stores.
bool roofline_fill(void* to, std::size_t bytes, std::size_t passes, std::uint64_t first,
                   bool past_caches) {
  auto* words = static_cast<Words*>(to);
  if (!past_caches) return fill<Ordinary>(words, bytes, passes, first), true;
#ifndef NO_STORES_PAST_CACHES
  return fill<PastCaches>(words, bytes, passes, first), true;
#else
  return false;
#endif
}

// A step reads `in` vectors and writes their sum `out` times. False where it cannot be done.
bool roofline_move(const void* from, void* to, int in, int out, std::size_t steps,
                   std::size_t passes, bool past_caches) {
  const auto* source = static_cast<const Words*>(from);
  auto* target = static_cast<Words*>(to);
  if (!past_caches) return move_ratio<Ordinary>(in, out, source, target, steps, passes);
#ifndef NO_STORES_PAST_CACHES
  return move_ratio<PastCaches>(in, out, source, target, steps, passes);
#else
  return false;
#endif
}

// acc = acc * factor + term in float32; returns the sum of all lanes, *lanes of them.
double roofline_fma(std::size_t turns, float factor, float term, std::size_t* lanes) {
  volatile float start = 0;  // read once a chain, so that no two chains are known to be equal
  Floats chains[kChains];
  for (auto& chain : chains) chain = Floats{} + start;
  const Floats factors = Floats{} + factor;
  const Floats terms = Floats{} + term;
  for (std::size_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chains[i] = chains[i] * factors + terms;
  }
  *lanes = kChains * kVectorBytes / sizeof(float);
  double sum = 0;
  for (const auto& chain : chains) {
    for (std::size_t lane = 0; lane < kVectorBytes / sizeof(float); ++lane) {
      sum += static_cast<double>(chain[lane]);
    }
  }
  return sum;
}

// acc += a0*b0 + a1*b1 + a2*b2 + a3*b3 of 8-bit integers, all of them 1; returns the sum of all
// 32-bit lanes, *lanes of them, or 0 lanes where this CPU has no such instruction.
std::int64_t roofline_dot([[maybe_unused]] std::size_t turns, std::size_t* lanes) {
  *lanes = 0;
  std::int64_t sum = 0;
#ifdef DOT_INSTRUCTION
  Integers chains[kChains] = {};
  const Integers ones = Integers{} + 0x01010101;
  for (std::size_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      Integers chain = chains[i];  // a copy, or GCC would keep the array in memory
      asm volatile(DOT_INSTRUCTION : "+" IN_REGISTER(chain) : IN_REGISTER(ones));
      chains[i] = chain;
    }
  }
  constexpr std::size_t kLanes = sizeof(Integers) / sizeof(std::int32_t);
  *lanes = kChains * kLanes;
  for (const auto& chain : chains) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum += chain[lane];
  }
#endif
  return sum;
}

// acc += a0*b0 + a1*b1 of bfloat16, all of them 1, in float32; returns the sum of all lanes, *lanes
// of them, or 0 lanes where this CPU has no such instruction.
double roofline_bfloat_dot([[maybe_unused]] std::size_t turns, std::size_t* lanes) {
  *lanes = 0;
  double sum = 0;
#ifdef BFLOAT_DOT_INSTRUCTION
  Floats chains[kChains] = {};
  const auto ones = reinterpret_cast<Floats>(Integers{} + 0x3f803f80);
  for (std::size_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      Floats chain = chains[i];
      asm volatile(BFLOAT_DOT_INSTRUCTION : "+" IN_REGISTER(chain) : IN_REGISTER(ones));
      chains[i] = chain;
    }
  }
  *lanes = kChains * kVectorBytes / sizeof(float);
  for (const auto& chain : chains) {
    for (std::size_t lane = 0; lane < kVectorBytes / sizeof(float); ++lane) {
      sum += static_cast<double>(chain[lane]);
    }
  }
#endif
  return sum;
}

}  // extern "C"
