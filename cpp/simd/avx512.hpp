// AVX-512 F, BW, VL, DQ and VNNI as one group (Cascade Lake, Zen 4 and later): 16 lanes.
#pragma once

#include <immintrin.h>

#include "../kernels/float_types.hpp"

namespace nnr::simd {
namespace {

using F32 = __m512;
using I32 = __m512i;
using Mask = __mmask16;
constexpr std::size_t kLanes = 16;
constexpr std::size_t kRegisters = 32;

inline F32 splat(float x) { return _mm512_set1_ps(x); }

inline F32 load(const float* p) { return _mm512_loadu_ps(p); }
inline F32 load(const Float16* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline F32 load(const BFloat16* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline F32 load(const double* p) {
    const __m256 low = _mm512_cvtpd_ps(_mm512_loadu_pd(p));
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), _mm512_cvtpd_ps(_mm512_loadu_pd(p + 8)),
                              1);
}

inline void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
inline void store(Float16* p, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
inline void store(BFloat16* p, F32 x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i bias = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __m512i high = _mm512_srli_epi32(_mm512_add_epi32(bits, bias), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(high));
}
inline void store(double* p, F32 x) {
    _mm512_storeu_pd(p, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
    _mm512_storeu_pd(p + 8, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
}

inline void store_past_cache(float* p, F32 x) { _mm512_stream_ps(p, x); }
inline void store_past_cache(double* p, F32 x) {
    _mm512_stream_pd(p, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
    _mm512_stream_pd(p + 8, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
}
template <class T>
void store_past_cache(T* p, F32 x) {
    store(p, x);
}

inline I32 load_widen(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline I32 load_widen(const std::uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_narrow(std::uint8_t* p, const I32 (&x)[4]) {
    const __m512i words_a = _mm512_packs_epi32(x[0], x[1]);
    const __m512i words_b = _mm512_packs_epi32(x[2], x[3]);
    // What packing within rows of 16 bytes leaves: the first four codes of each x, then the next.
    const __m512i in_order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes = _mm512_packus_epi16(words_a, words_b);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(in_order, bytes));
}
inline void store_narrow(std::uint16_t* p, const I32 (&x)[2]) {
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i words = _mm512_packus_epi32(x[0], x[1]);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi64(in_order, words));
}

inline F32 add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
inline F32 sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
inline F32 mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
inline F32 mul_add(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
inline F32 min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
inline F32 max(F32 a, F32 b) { return _mm512_max_ps(a, b); }

inline Mask less(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline Mask equal(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
inline Mask not_finite(F32 x) {
    return _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(__FLT_MAX__), _CMP_NLE_UQ);
}
inline F32 select(Mask m, F32 a, F32 b) { return _mm512_mask_blend_ps(m, b, a); }
inline bool any(Mask m) { return m != 0; }
inline unsigned count(Mask m) { return static_cast<unsigned>(_mm_popcnt_u32(m)); }

inline I32 round_to_i32(F32 x) { return _mm512_cvtps_epi32(x); }
inline F32 i32_to_f32(I32 x) { return _mm512_cvtepi32_ps(x); }

inline I32 as_bits(F32 x) { return _mm512_castps_si512(x); }
inline I32 max_unsigned(I32 a, I32 b) { return _mm512_max_epu32(a, b); }
inline std::uint32_t reduce_max_unsigned(I32 x) { return _mm512_reduce_max_epu32(x); }

inline float reduce_min(F32 x) { return _mm512_reduce_min_ps(x); }
inline float reduce_max(F32 x) { return _mm512_reduce_max_ps(x); }

using Bits = __m512i;
constexpr std::size_t kRows = 4;
constexpr std::uint8_t kZeroByte = 0x80;

inline Bits splat_u16(std::uint16_t x) { return _mm512_set1_epi16(static_cast<short>(x)); }
inline Bits bit_and(Bits a, Bits b) { return _mm512_and_si512(a, b); }
inline Bits bit_or(Bits a, Bits b) { return _mm512_or_si512(a, b); }

inline Bits load_bits(const void* p) { return _mm512_loadu_si512(p); }
inline void store_bits(void* p, Bits x) { _mm512_storeu_si512(p, x); }
inline Bits rows(const std::uint8_t (&row)[16]) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
}
inline Bits load_rows(const std::uint8_t* p, std::size_t distance) {
    const auto row = [=](std::size_t r) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + r * distance));
    };
    Bits x = _mm512_castsi128_si512(row(0));
    x = _mm512_inserti32x4(x, row(1), 1);
    x = _mm512_inserti32x4(x, row(2), 2);
    return _mm512_inserti32x4(x, row(3), 3);
}
inline void store_rows(std::uint8_t* p, std::size_t distance, Bits x) {
    const auto store_row = [=](std::size_t r, __m128i row) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p + r * distance), row);
    };
    store_row(0, _mm512_castsi512_si128(x));
    store_row(1, _mm512_extracti32x4_epi32(x, 1));
    store_row(2, _mm512_extracti32x4_epi32(x, 2));
    store_row(3, _mm512_extracti32x4_epi32(x, 3));
}
inline Bits rearrange(Bits x, Bits pattern) { return _mm512_shuffle_epi8(x, pattern); }
inline Bits second_half_up_4(Bits x) {
    return _mm512_sllv_epi64(x, _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4));
}
inline Bits second_half_down_4(Bits x) {
    return _mm512_srlv_epi64(x, _mm512_setr_epi64(0, 4, 0, 4, 0, 4, 0, 4));
}

inline Bits select_bits(Bits mask, Bits a, Bits b) {
    return _mm512_ternarylogic_epi64(mask, a, b, 0xca);
}
// Where the factors fit its signed operands, one multiply-add does the whole step.
template <unsigned kLane, unsigned kBits>
Bits join(Bits x) {
    constexpr unsigned kDown = kLane / 2 - kBits;
    if constexpr (kDown == 0)
        return x;
    else if constexpr (kLane == 16 && kBits <= 6)
        return _mm512_maddubs_epi16(x, splat_u16(1u | 1u << (8 + kBits)));
    else if constexpr (kLane == 32 && kBits <= 14)
        return _mm512_madd_epi16(x, _mm512_set1_epi32(1 | 1 << (16 + kBits)));
    else if constexpr (kLane == 16)
        return select_bits(splat_u16((1u << kBits) - 1u), x, _mm512_srli_epi16(x, kDown));
    else if constexpr (kLane == 32)
        return select_bits(_mm512_set1_epi32((1 << kBits) - 1), x, _mm512_srli_epi32(x, kDown));
    else
        return select_bits(_mm512_set1_epi64((1ll << kBits) - 1), x,
                           _mm512_srli_epi64(x, kDown));
}
template <unsigned kLane, unsigned kBits>
Bits split(Bits x) {
    constexpr unsigned kUp = kLane / 2 - kBits;
    if constexpr (kUp == 0)
        return x;
    else if constexpr (kLane == 16)
        return select_bits(splat_u16(0x00ff), x, _mm512_slli_epi16(x, kUp));
    else if constexpr (kLane == 32)
        return select_bits(_mm512_set1_epi32(0xffff), x, _mm512_slli_epi32(x, kUp));
    else
        return select_bits(_mm512_set1_epi64(0xffffffff), x, _mm512_slli_epi64(x, kUp));
}


// Sixteen 16-bit integers.
using I16 = __m256i;
inline I16 load_i16(const std::int16_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store_i16(std::int16_t* p, I16 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
}
inline I16 splat_i16(std::int16_t x) { return _mm256_set1_epi16(x); }
inline I16 add(I16 a, I16 b) { return _mm256_add_epi16(a, b); }
template <int kBits>
I16 shift_left(I16 x) {
    return _mm256_slli_epi16(x, kBits);
}
template <int kBits>
I16 shift_right(I16 x) {
    return _mm256_srai_epi16(x, kBits);
}
inline I16 with_sign(I16 x, I16 sign) { return _mm256_sign_epi16(x, sign); }

using Shifts16 = __m256i;
inline Shifts16 shifts(const std::int16_t* counts) { return load_i16(counts); }
inline I16 shift_right(I16 x, Shifts16 counts) { return _mm256_srlv_epi16(x, counts); }

inline I16 max(I16 a, I16 b) { return _mm256_max_epi16(a, b); }
inline I16 zero_where_equal(I16 x, I16 a, I16 b) {
    return _mm256_andnot_si256(_mm256_cmpeq_epi16(a, b), x);
}

// A byte shuffle gives 0 where the index has its highest bit set: in upper bytes always, in lower ones
// once the bit is turned about.
using ByteTable = __m256i;
inline ByteTable byte_table(const std::uint8_t* entries) {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(entries)));
}
inline I16 lookup_negative(I16 x, ByteTable entries) {
    constexpr int kXorThenOr = 0xf6;
    const __m256i index =
        _mm256_ternarylogic_epi32(splat_i16(-0x8000), x, splat_i16(0x0080), kXorThenOr);
    return _mm256_shuffle_epi8(entries, index);
}


// Integers of the network kernels.
inline I32 load_i32(const std::int32_t* p) { return _mm512_loadu_si512(p); }
inline void store_i32(std::int32_t* p, I32 x) { _mm512_storeu_si512(p, x); }
inline I32 splat_i32(std::int32_t x) { return _mm512_set1_epi32(x); }
inline I32 load_widen(const std::int16_t* p) { return _mm512_cvtepi16_epi32(load_i16(p)); }
inline I16 load_widen_i16(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void store_clamped(std::uint8_t* p, I32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x));
}
inline void store_clamped(std::int16_t* p, I32 x) { store_i16(p, _mm512_cvtepi32_epi16(x)); }

inline I16 sub(I16 a, I16 b) { return _mm256_sub_epi16(a, b); }
inline I32 add_i32(I32 a, I32 b) { return _mm512_add_epi32(a, b); }
inline I32 sub_i32(I32 a, I32 b) { return _mm512_sub_epi32(a, b); }
inline I32 mul_i32(I32 a, I32 b) { return _mm512_mullo_epi32(a, b); }
inline I32 min_i32(I32 a, I32 b) { return _mm512_min_epi32(a, b); }
inline I32 max_i32(I32 a, I32 b) { return _mm512_max_epi32(a, b); }
template <int kBits>
I32 shift_left_i32(I32 x) {
    return _mm512_slli_epi32(x, kBits);
}
template <int kBits>
I32 shift_right_i32(I32 x) {
    return _mm512_srai_epi32(x, kBits);
}
inline I32 shift_right_i32(I32 x, std::uint32_t bits) {
    return _mm512_sra_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
}
inline I32 select_negative(I32 x, I32 a, I32 b) {
    return _mm512_mask_blend_epi32(_mm512_movepi32_mask(x), b, a);
}
// Products of even and of odd lanes, in 64 bits.
struct I64 {
    __m512i even, odd;
};
inline I64 wide_product(I32 a, I32 b) {
    return {_mm512_mul_epi32(a, b),
            _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32))};
}
inline I64 add(I64 a, I64 b) {
    return {_mm512_add_epi64(a.even, b.even), _mm512_add_epi64(a.odd, b.odd)};
}
inline I32 bits_from_16(I64 x) {
    return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(x.even, 16),
                                   _mm512_slli_epi64(x.odd, 16));
}
inline I32 high_product(I32 a, I32 m) {
    const __m512i half = _mm512_set1_epi64(std::int64_t{1} << 31);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, m), half);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(m, 32)), half);
    return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
}
// Not intrinsics, since GCC 12 copies their sums through memory: half the speed.
inline I32 dot_u8i8(I32 sums, I32 x, I32 weights) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(x), "v"(weights));
    return sums;
}
inline I32 dot_i16(I32 sums, I32 x, I32 weights) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(x), "v"(weights));
    return sums;
}
inline float reduce_add(F32 x) { return _mm512_reduce_add_ps(x); }
inline std::int32_t reduce_add_i32(I32 x) { return _mm512_reduce_add_epi32(x); }

}  // namespace
}  // namespace nnr::simd
