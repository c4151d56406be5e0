// AVX2, FMA, F16C and BMI2 (Haswell, Zen and later): 8 lanes.
#pragma once

#include <immintrin.h>

#include "../kernels/float_types.hpp"

namespace nnr::simd {
namespace {

using F32 = __m256;
using I32 = __m256i;
using Mask = __m256;
constexpr std::size_t kLanes = 8;
constexpr std::size_t kRegisters = 16;

inline F32 splat(float x) { return _mm256_set1_ps(x); }

inline F32 load(const float* p) { return _mm256_loadu_ps(p); }
inline F32 load(const Float16* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline F32 load(const BFloat16* p) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline F32 load(const double* p) {
    return _mm256_set_m128(_mm256_cvtpd_ps(_mm256_loadu_pd(p + 4)),
                           _mm256_cvtpd_ps(_mm256_loadu_pd(p)));
}

// Four 64-bit quarters in memory order, after an instruction that packed within 128-bit halves.
inline __m128i join_halves(__m256i packed) {
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0b1000));
}

inline void store(float* p, F32 x) { _mm256_storeu_ps(p, x); }
inline void store(Float16* p, F32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
inline void store(BFloat16* p, F32 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i bias = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i high = _mm256_srli_epi32(_mm256_add_epi32(bits, bias), 16);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), join_halves(_mm256_packus_epi32(high, high)));
}
inline void store(double* p, F32 x) {
    _mm256_storeu_pd(p, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
    _mm256_storeu_pd(p + 4, _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
}

inline void store_past_cache(float* p, F32 x) { _mm256_stream_ps(p, x); }
inline void store_past_cache(double* p, F32 x) {
    _mm256_stream_pd(p, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
    _mm256_stream_pd(p + 4, _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
}
template <class T>
void store_past_cache(T* p, F32 x) {
    store(p, x);
}

inline I32 load_widen(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline I32 load_widen(const std::uint16_t* p) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void store_narrow(std::uint8_t* p, const I32 (&x)[4]) {
    const __m256i words_a = _mm256_packs_epi32(x[0], x[1]);
    const __m256i words_b = _mm256_packs_epi32(x[2], x[3]);
    // What packing within rows of 16 bytes leaves: the first four codes of each x, then the next.
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_packus_epi16(words_a, words_b);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_permutevar8x32_epi32(bytes, in_order));
}
inline void store_narrow(std::uint16_t* p, const I32 (&x)[2]) {
    const __m256i words = _mm256_packus_epi32(x[0], x[1]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_permute4x64_epi64(words, 0b11'01'10'00));
}

inline F32 add(F32 a, F32 b) { return _mm256_add_ps(a, b); }
inline F32 sub(F32 a, F32 b) { return _mm256_sub_ps(a, b); }
inline F32 mul(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
inline F32 mul_add(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
inline F32 min(F32 a, F32 b) { return _mm256_min_ps(a, b); }
inline F32 max(F32 a, F32 b) { return _mm256_max_ps(a, b); }

inline Mask less(F32 a, F32 b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline Mask equal(F32 a, F32 b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
inline Mask not_finite(F32 x) {
    const F32 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    return _mm256_cmp_ps(magnitude, _mm256_set1_ps(__FLT_MAX__), _CMP_NLE_UQ);
}
inline F32 select(Mask m, F32 a, F32 b) { return _mm256_blendv_ps(b, a, m); }
inline bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }
inline unsigned count(Mask m) {
    return static_cast<unsigned>(_mm_popcnt_u32(static_cast<unsigned>(_mm256_movemask_ps(m))));
}

inline I32 round_to_i32(F32 x) { return _mm256_cvtps_epi32(x); }
inline F32 i32_to_f32(I32 x) { return _mm256_cvtepi32_ps(x); }

inline I32 as_bits(F32 x) { return _mm256_castps_si256(x); }
inline I32 max_unsigned(I32 a, I32 b) { return _mm256_max_epu32(a, b); }
inline std::uint32_t reduce_max_unsigned(I32 x) {
    const __m128i quads = _mm_max_epu32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i pairs = _mm_max_epu32(quads, _mm_srli_si128(quads, 8));
    const __m128i one = _mm_max_epu32(pairs, _mm_srli_si128(pairs, 4));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(one));
}

inline float reduce_min(F32 x) {
    const __m128 quads = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 pairs = _mm_min_ps(quads, _mm_movehl_ps(quads, quads));
    return _mm_cvtss_f32(_mm_min_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
inline float reduce_max(F32 x) {
    const __m128 quads = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 pairs = _mm_max_ps(quads, _mm_movehl_ps(quads, quads));
    return _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

using Bits = __m256i;
constexpr std::size_t kRows = 2;
constexpr std::uint8_t kZeroByte = 0x80;

inline Bits splat_u16(std::uint16_t x) { return _mm256_set1_epi16(static_cast<short>(x)); }
inline Bits bit_and(Bits a, Bits b) { return _mm256_and_si256(a, b); }
inline Bits bit_or(Bits a, Bits b) { return _mm256_or_si256(a, b); }

inline Bits load_bits(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline void store_bits(void* p, Bits x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
inline __m128i load_row(const std::uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline Bits rows(const std::uint8_t (&row)[16]) {
    return _mm256_broadcastsi128_si256(load_row(row));
}
inline Bits load_rows(const std::uint8_t* p, std::size_t distance) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_row(p)), load_row(p + distance), 1);
}
inline void store_rows(std::uint8_t* p, std::size_t distance, Bits x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(x));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + distance), _mm256_extracti128_si256(x, 1));
}
inline Bits rearrange(Bits x, Bits pattern) { return _mm256_shuffle_epi8(x, pattern); }
inline Bits second_half_up_4(Bits x) {
    return _mm256_sllv_epi64(x, _mm256_setr_epi64x(0, 4, 0, 4));
}
inline Bits second_half_down_4(Bits x) {
    return _mm256_srlv_epi64(x, _mm256_setr_epi64x(0, 4, 0, 4));
}

inline Bits select_bits(Bits mask, Bits a, Bits b) {
    return _mm256_or_si256(_mm256_and_si256(mask, a), _mm256_andnot_si256(mask, b));
}
// Where the factors fit its signed operands, one multiply-add does the whole step.
template <unsigned kLane, unsigned kBits>
Bits join(Bits x) {
    constexpr unsigned kDown = kLane / 2 - kBits;
    if constexpr (kDown == 0)
        return x;
    else if constexpr (kLane == 16 && kBits <= 6)
        return _mm256_maddubs_epi16(x, splat_u16(1u | 1u << (8 + kBits)));
    else if constexpr (kLane == 16)
        return select_bits(splat_u16((1u << kBits) - 1u), x, _mm256_srli_epi16(x, kDown));
    else if constexpr (kLane == 32 && kBits <= 14)
        return _mm256_madd_epi16(x, _mm256_set1_epi32(1 | 1 << (16 + kBits)));
    else if constexpr (kLane == 32)
        return select_bits(_mm256_set1_epi32((1 << kBits) - 1), x, _mm256_srli_epi32(x, kDown));
    else
        return select_bits(_mm256_set1_epi64x((1ll << kBits) - 1), x,
                           _mm256_srli_epi64(x, kDown));
}
template <unsigned kLane, unsigned kBits>
Bits split(Bits x) {
    constexpr unsigned kUp = kLane / 2 - kBits;
    if constexpr (kUp == 0)
        return x;
    else if constexpr (kLane == 16)
        return select_bits(splat_u16(0x00ff), x, _mm256_slli_epi16(x, kUp));
    else if constexpr (kLane == 32)
        return _mm256_blend_epi16(x, _mm256_slli_epi32(x, kUp), 0b10101010);
    else
        return _mm256_blend_epi32(x, _mm256_slli_epi64(x, kUp), 0b10101010);
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

// A shift by n is the upper byte of a product with 2^(8 - n).
using Shifts16 = __m256i;
inline Shifts16 shifts(const std::int16_t* counts) {
    std::int16_t factors[16];
    for (int i = 0; i < 16; ++i) factors[i] = static_cast<std::int16_t>(1 << (8 - counts[i]));
    return load_i16(factors);
}
inline I16 shift_right(I16 x, Shifts16 factors) {
    return _mm256_srli_epi16(_mm256_mullo_epi16(x, factors), 8);
}

inline I16 max(I16 a, I16 b) { return _mm256_max_epi16(a, b); }
inline I16 zero_where_equal(I16 x, I16 a, I16 b) {
    return _mm256_andnot_si256(_mm256_cmpeq_epi16(a, b), x);
}

// A byte shuffle gives 0 where the index has its highest bit set: in upper bytes always, in lower ones
// once the bit is turned about.
using ByteTable = __m256i;
inline ByteTable byte_table(const std::uint8_t* entries) {
    return _mm256_broadcastsi128_si256(load_row(entries));
}
inline I16 lookup_negative(I16 x, ByteTable entries) {
    const __m256i turned = _mm256_xor_si256(x, splat_i16(0x0080));
    return _mm256_shuffle_epi8(entries, _mm256_or_si256(turned, splat_i16(-0x8000)));
}


// Integers of the network kernels.
inline I32 load_i32(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store_i32(std::int32_t* p, I32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
}
inline I32 splat_i32(std::int32_t x) { return _mm256_set1_epi32(x); }
inline I32 load_widen(const std::int16_t* p) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline I16 load_widen_i16(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m128i words_of(I32 x) {
    return _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}
inline void store_clamped(std::uint8_t* p, I32 x) {
    const __m128i words = words_of(x);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}
inline void store_clamped(std::int16_t* p, I32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), words_of(x));
}

inline I16 sub(I16 a, I16 b) { return _mm256_sub_epi16(a, b); }
inline I32 add_i32(I32 a, I32 b) { return _mm256_add_epi32(a, b); }
inline I32 sub_i32(I32 a, I32 b) { return _mm256_sub_epi32(a, b); }
inline I32 mul_i32(I32 a, I32 b) { return _mm256_mullo_epi32(a, b); }
inline I32 min_i32(I32 a, I32 b) { return _mm256_min_epi32(a, b); }
inline I32 max_i32(I32 a, I32 b) { return _mm256_max_epi32(a, b); }
template <int kBits>
I32 shift_left_i32(I32 x) {
    return _mm256_slli_epi32(x, kBits);
}
template <int kBits>
I32 shift_right_i32(I32 x) {
    return _mm256_srai_epi32(x, kBits);
}
inline I32 shift_right_i32(I32 x, std::uint32_t bits) {
    return _mm256_sra_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
}
inline I32 select_negative(I32 x, I32 a, I32 b) {
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(b), _mm256_castsi256_ps(a),
                                                _mm256_castsi256_ps(x)));
}
// Products of even and of odd lanes, in 64 bits.
struct I64 {
    __m256i even, odd;
};
inline I64 wide_product(I32 a, I32 b) {
    return {_mm256_mul_epi32(a, b),
            _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32))};
}
inline I64 add(I64 a, I64 b) {
    return {_mm256_add_epi64(a.even, b.even), _mm256_add_epi64(a.odd, b.odd)};
}
inline I32 bits_from_16(I64 x) {
    return _mm256_blend_epi32(_mm256_srli_epi64(x.even, 16), _mm256_slli_epi64(x.odd, 16), 0xaa);
}
inline I32 high_product(I32 a, I32 m) {
    const __m256i half = _mm256_set1_epi64x(std::int64_t{1} << 31);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, m), half);
    const __m256i odd = _mm256_add_epi64(
        _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(m, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}
// The instruction that multiplies bytes saturates its sums, so even and odd bytes go as words.
inline I32 dot_u8i8(I32 sums, I32 x, I32 weights) {
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(0xff)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8));
    const __m256i odd =
        _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(weights, 8));
    return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}
inline I32 dot_i16(I32 sums, I32 x, I32 weights) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(x, weights));
}
inline float reduce_add(F32 x) {
    const __m128 fours = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
    return _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)));
}
inline std::int32_t reduce_add_i32(I32 x) {
    const __m128i fours =
        _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i twos = _mm_add_epi32(fours, _mm_shuffle_epi32(fours, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(twos, _mm_shuffle_epi32(twos, 0xb1)));
}

}  // namespace
}  // namespace nnr::simd
