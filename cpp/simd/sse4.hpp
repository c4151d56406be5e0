// SSE4.2 and SSSE3: 4 lanes.
#pragma once

#include <nmmintrin.h>

#include "../kernels/float_types.hpp"

namespace nnr::simd {
namespace {

using F32 = __m128;
using I32 = __m128i;
using Mask = __m128;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kRegisters = 16;

inline F32 splat(float x) { return _mm_set1_ps(x); }

inline F32 load(const float* p) { return _mm_loadu_ps(p); }
inline F32 load(const Float16* p) {
    const __m128i bits = _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m128i sign = _mm_slli_epi32(_mm_and_si128(bits, _mm_set1_epi32(0x8000)), 16);
    const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi32(0x7fff));
    // The exponent's bias is made good by an exact product, subnormals included; infinity and NaN
    // get theirs in full.
    const F32 scaled =
        _mm_mul_ps(_mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)), _mm_set1_ps(0x1p112f));
    const __m128i beyond = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff));
    const __m128i full = _mm_and_si128(beyond, _mm_set1_epi32(0x7f800000));
    return _mm_castsi128_ps(_mm_or_si128(_mm_castps_si128(scaled), _mm_or_si128(sign, full)));
}
inline F32 load(const BFloat16* p) {
    const __m128i bits = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), bits));
}
inline F32 load(const double* p) {
    return _mm_movelh_ps(_mm_cvtpd_ps(_mm_loadu_pd(p)), _mm_cvtpd_ps(_mm_loadu_pd(p + 2)));
}

inline void store(float* p, F32 x) { _mm_storeu_ps(p, x); }
inline void store(Float16* p, F32 x) {
    const __m128i bits = _mm_castps_si128(x);
    const __m128i sign = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(0x8000));
    const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi32(0x7fffffff));
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(magnitude, 13), _mm_set1_epi32(1));
    const __m128i rebias = _mm_set1_epi32(0xfff - (112 << 23));
    __m128i half =
        _mm_srli_epi32(_mm_add_epi32(magnitude, _mm_add_epi32(odd, rebias)), 13);
    // Below 2^-14, a multiple of 2^-24: adding 0.5 leaves exactly ten fraction bits and rounds there.
    const F32 shifted = _mm_add_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0.5f));
    const __m128i subnormal =
        _mm_sub_epi32(_mm_castps_si128(shifted), _mm_castps_si128(_mm_set1_ps(0.5f)));
    half = _mm_blendv_epi8(half, subnormal,
                           _mm_cmplt_epi32(magnitude, _mm_set1_epi32(0x38800000)));
    half = _mm_blendv_epi8(half, _mm_set1_epi32(0x7c00),
                           _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x477fffff)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p),
                     _mm_packus_epi32(_mm_or_si128(half, sign), sign));
}
inline void store(BFloat16* p, F32 x) {
    const __m128i bits = _mm_castps_si128(x);
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
    const __m128i rounded = _mm_add_epi32(bits, _mm_add_epi32(odd, _mm_set1_epi32(0x7fff)));
    const __m128i high = _mm_srli_epi32(rounded, 16);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi32(high, high));
}
inline void store(double* p, F32 x) {
    _mm_storeu_pd(p, _mm_cvtps_pd(x));
    _mm_storeu_pd(p + 2, _mm_cvtps_pd(_mm_movehl_ps(x, x)));
}

inline void store_past_cache(float* p, F32 x) { _mm_stream_ps(p, x); }
inline void store_past_cache(double* p, F32 x) {
    _mm_stream_pd(p, _mm_cvtps_pd(x));
    _mm_stream_pd(p + 2, _mm_cvtps_pd(_mm_movehl_ps(x, x)));
}
template <class T>
void store_past_cache(T* p, F32 x) {
    store(p, x);
}

inline I32 load_widen(const std::uint8_t* p) {
    int bytes;
    __builtin_memcpy(&bytes, p, 4);
    return _mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
}
inline I32 load_widen(const std::uint16_t* p) {
    return _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline void store_narrow(std::uint8_t* p, const I32 (&x)[4]) {
    const __m128i words_a = _mm_packs_epi32(x[0], x[1]);
    const __m128i words_b = _mm_packs_epi32(x[2], x[3]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words_a, words_b));
}
inline void store_narrow(std::uint16_t* p, const I32 (&x)[2]) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packus_epi32(x[0], x[1]));
}

inline F32 add(F32 a, F32 b) { return _mm_add_ps(a, b); }
inline F32 sub(F32 a, F32 b) { return _mm_sub_ps(a, b); }
inline F32 mul(F32 a, F32 b) { return _mm_mul_ps(a, b); }
inline F32 mul_add(F32 a, F32 b, F32 c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
inline F32 min(F32 a, F32 b) { return _mm_min_ps(a, b); }
inline F32 max(F32 a, F32 b) { return _mm_max_ps(a, b); }

inline Mask less(F32 a, F32 b) { return _mm_cmplt_ps(a, b); }
inline Mask equal(F32 a, F32 b) { return _mm_cmpeq_ps(a, b); }
inline Mask not_finite(F32 x) {
    const F32 magnitude = _mm_andnot_ps(_mm_set1_ps(-0.0f), x);
    return _mm_cmpnle_ps(magnitude, _mm_set1_ps(__FLT_MAX__));
}
inline F32 select(Mask m, F32 a, F32 b) { return _mm_blendv_ps(b, a, m); }
inline bool any(Mask m) { return _mm_movemask_ps(m) != 0; }
inline unsigned count(Mask m) {
    return static_cast<unsigned>(_mm_popcnt_u32(static_cast<unsigned>(_mm_movemask_ps(m))));
}

inline I32 round_to_i32(F32 x) { return _mm_cvtps_epi32(x); }
inline F32 i32_to_f32(I32 x) { return _mm_cvtepi32_ps(x); }

inline I32 as_bits(F32 x) { return _mm_castps_si128(x); }
inline I32 max_unsigned(I32 a, I32 b) { return _mm_max_epu32(a, b); }
inline std::uint32_t reduce_max_unsigned(I32 x) {
    const __m128i pairs = _mm_max_epu32(x, _mm_srli_si128(x, 8));
    const __m128i one = _mm_max_epu32(pairs, _mm_srli_si128(pairs, 4));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(one));
}

inline float reduce_min(F32 x) {
    const F32 pairs = _mm_min_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_min_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
inline float reduce_max(F32 x) {
    const F32 pairs = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

using Bits = __m128i;
constexpr std::size_t kRows = 1;
constexpr std::uint8_t kZeroByte = 0x80;

inline Bits splat_u16(std::uint16_t x) { return _mm_set1_epi16(static_cast<short>(x)); }
inline Bits bit_and(Bits a, Bits b) { return _mm_and_si128(a, b); }
inline Bits bit_or(Bits a, Bits b) { return _mm_or_si128(a, b); }

inline Bits load_bits(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void store_bits(void* p, Bits x) { _mm_storeu_si128(static_cast<__m128i*>(p), x); }
inline Bits rows(const std::uint8_t (&row)[16]) { return load_bits(row); }
inline Bits load_rows(const std::uint8_t* p, std::size_t) { return load_bits(p); }
inline void store_rows(std::uint8_t* p, std::size_t, Bits x) { store_bits(p, x); }
inline Bits rearrange(Bits x, Bits pattern) { return _mm_shuffle_epi8(x, pattern); }
inline Bits second_half_up_4(Bits x) {
    return _mm_blend_epi16(x, _mm_slli_epi64(x, 4), 0b11110000);
}
inline Bits second_half_down_4(Bits x) {
    return _mm_blend_epi16(x, _mm_srli_epi64(x, 4), 0b11110000);
}

inline Bits select_bits(Bits mask, Bits a, Bits b) {
    return _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b));
}
// Where the factors fit its signed operands, one multiply-add does the whole step.
template <unsigned kLane, unsigned kBits>
Bits join(Bits x) {
    constexpr unsigned kDown = kLane / 2 - kBits;
    if constexpr (kDown == 0)
        return x;
    else if constexpr (kLane == 16 && kBits <= 6)
        return _mm_maddubs_epi16(x, splat_u16(1u | 1u << (8 + kBits)));
    else if constexpr (kLane == 16)
        return select_bits(splat_u16((1u << kBits) - 1u), x, _mm_srli_epi16(x, kDown));
    else if constexpr (kLane == 32 && kBits <= 14)
        return _mm_madd_epi16(x, _mm_set1_epi32(1 | 1 << (16 + kBits)));
    else if constexpr (kLane == 32)
        return select_bits(_mm_set1_epi32((1 << kBits) - 1), x, _mm_srli_epi32(x, kDown));
    else
        return select_bits(_mm_set1_epi64x((1ll << kBits) - 1), x, _mm_srli_epi64(x, kDown));
}
template <unsigned kLane, unsigned kBits>
Bits split(Bits x) {
    constexpr unsigned kUp = kLane / 2 - kBits;
    if constexpr (kUp == 0)
        return x;
    else if constexpr (kLane == 16)
        return select_bits(splat_u16(0x00ff), x, _mm_slli_epi16(x, kUp));
    else if constexpr (kLane == 32)
        return _mm_blend_epi16(x, _mm_slli_epi32(x, kUp), 0b10101010);
    else
        return _mm_blend_epi16(x, _mm_slli_epi64(x, kUp), 0b11001100);
}


// Sixteen 16-bit integers.
struct I16 {
    __m128i first, last;
};
inline I16 load_i16(const std::int16_t* p) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)),
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8))};
}
inline void store_i16(std::int16_t* p, I16 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x.first);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), x.last);
}
inline I16 splat_i16(std::int16_t x) { return {_mm_set1_epi16(x), _mm_set1_epi16(x)}; }
inline I16 add(I16 a, I16 b) {
    return {_mm_add_epi16(a.first, b.first), _mm_add_epi16(a.last, b.last)};
}
template <int kBits>
I16 shift_left(I16 x) {
    return {_mm_slli_epi16(x.first, kBits), _mm_slli_epi16(x.last, kBits)};
}
template <int kBits>
I16 shift_right(I16 x) {
    return {_mm_srai_epi16(x.first, kBits), _mm_srai_epi16(x.last, kBits)};
}
inline I16 with_sign(I16 x, I16 sign) {
    return {_mm_sign_epi16(x.first, sign.first), _mm_sign_epi16(x.last, sign.last)};
}

// A shift by n is the upper byte of a product with 2^(8 - n).
using Shifts16 = I16;
inline Shifts16 shifts(const std::int16_t* counts) {
    std::int16_t factors[16];
    for (int i = 0; i < 16; ++i) factors[i] = static_cast<std::int16_t>(1 << (8 - counts[i]));
    return load_i16(factors);
}
inline I16 shift_right(I16 x, const Shifts16& factors) {
    return {_mm_srli_epi16(_mm_mullo_epi16(x.first, factors.first), 8),
            _mm_srli_epi16(_mm_mullo_epi16(x.last, factors.last), 8)};
}

inline I16 max(I16 a, I16 b) {
    return {_mm_max_epi16(a.first, b.first), _mm_max_epi16(a.last, b.last)};
}
inline I16 zero_where_equal(I16 x, I16 a, I16 b) {
    return {_mm_andnot_si128(_mm_cmpeq_epi16(a.first, b.first), x.first),
            _mm_andnot_si128(_mm_cmpeq_epi16(a.last, b.last), x.last)};
}

// A byte shuffle gives 0 where the index has its highest bit set: in upper bytes always, in lower ones
// once the bit is turned about.
using ByteTable = __m128i;
inline ByteTable byte_table(const std::uint8_t* entries) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(entries));
}
inline __m128i lookup_negative(__m128i x, ByteTable entries) {
    const __m128i turned = _mm_xor_si128(x, _mm_set1_epi16(0x0080));
    return _mm_shuffle_epi8(entries, _mm_or_si128(turned, _mm_set1_epi16(-0x8000)));
}
inline I16 lookup_negative(I16 x, ByteTable entries) {
    return {lookup_negative(x.first, entries), lookup_negative(x.last, entries)};
}


// Integers of the network kernels.
inline I32 load_i32(const std::int32_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline void store_i32(std::int32_t* p, I32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x);
}
inline I32 splat_i32(std::int32_t x) { return _mm_set1_epi32(x); }
inline I32 load_widen(const std::int16_t* p) {
    return _mm_cvtepi16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline I16 load_widen_i16(const std::uint8_t* p) {
    return {_mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))),
            _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8)))};
}
inline void store_clamped(std::uint8_t* p, I32 x) {
    const __m128i words = _mm_packs_epi32(x, x);
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    __builtin_memcpy(p, &bytes, sizeof bytes);
}
inline void store_clamped(std::int16_t* p, I32 x) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(x, x));
}

inline I16 sub(I16 a, I16 b) {
    return {_mm_sub_epi16(a.first, b.first), _mm_sub_epi16(a.last, b.last)};
}
inline I32 add_i32(I32 a, I32 b) { return _mm_add_epi32(a, b); }
inline I32 sub_i32(I32 a, I32 b) { return _mm_sub_epi32(a, b); }
inline I32 mul_i32(I32 a, I32 b) { return _mm_mullo_epi32(a, b); }
inline I32 min_i32(I32 a, I32 b) { return _mm_min_epi32(a, b); }
inline I32 max_i32(I32 a, I32 b) { return _mm_max_epi32(a, b); }
template <int kBits>
I32 shift_left_i32(I32 x) {
    return _mm_slli_epi32(x, kBits);
}
template <int kBits>
I32 shift_right_i32(I32 x) {
    return _mm_srai_epi32(x, kBits);
}
inline I32 shift_right_i32(I32 x, std::uint32_t bits) {
    return _mm_sra_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
}
inline I32 select_negative(I32 x, I32 a, I32 b) {
    return _mm_castps_si128(
        _mm_blendv_ps(_mm_castsi128_ps(b), _mm_castsi128_ps(a), _mm_castsi128_ps(x)));
}
// Products of even and of odd lanes, in 64 bits.
struct I64 {
    __m128i even, odd;
};
inline I64 wide_product(I32 a, I32 b) {
    return {_mm_mul_epi32(a, b), _mm_mul_epi32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32))};
}
inline I64 add(I64 a, I64 b) {
    return {_mm_add_epi64(a.even, b.even), _mm_add_epi64(a.odd, b.odd)};
}
inline I32 bits_from_16(I64 x) {
    return _mm_blend_epi16(_mm_srli_epi64(x.even, 16), _mm_slli_epi64(x.odd, 16), 0xcc);
}
inline I32 high_product(I32 a, I32 m) {
    const __m128i half = _mm_set1_epi64x(std::int64_t{1} << 31);
    const __m128i even = _mm_add_epi64(_mm_mul_epi32(a, m), half);
    const __m128i odd =
        _mm_add_epi64(_mm_mul_epi32(_mm_srli_epi64(a, 32), _mm_srli_epi64(m, 32)), half);
    return _mm_blend_epi16(_mm_srli_epi64(even, 32), odd, 0xcc);
}
// The instruction that multiplies bytes saturates its sums, so even and odd bytes go as words.
inline I32 dot_u8i8(I32 sums, I32 x, I32 weights) {
    const __m128i even = _mm_madd_epi16(_mm_and_si128(x, _mm_set1_epi16(0xff)),
                                        _mm_srai_epi16(_mm_slli_epi16(weights, 8), 8));
    const __m128i odd = _mm_madd_epi16(_mm_srli_epi16(x, 8), _mm_srai_epi16(weights, 8));
    return _mm_add_epi32(sums, _mm_add_epi32(even, odd));
}
inline I32 dot_i16(I32 sums, I32 x, I32 weights) {
    return _mm_add_epi32(sums, _mm_madd_epi16(x, weights));
}
inline float reduce_add(F32 x) {
    const __m128 twos = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)));
}
inline std::int32_t reduce_add_i32(I32 x) {
    const __m128i twos = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(twos, _mm_shuffle_epi32(twos, 0xb1)));
}

}  // namespace
}  // namespace nnr::simd
