// SSE4.2 and SSSE3: 4 lanes. float16 goes through the scalar conversion, there is no instruction.
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
    return _mm_setr_ps(to_f32(p[0]), to_f32(p[1]), to_f32(p[2]), to_f32(p[3]));
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
    float lanes[kLanes];
    _mm_storeu_ps(lanes, x);
    for (std::size_t i = 0; i < kLanes; ++i) from_f32(lanes[i], p[i]);
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

inline I32 load_widen(const std::uint8_t* p) {
    int bytes;
    __builtin_memcpy(&bytes, p, 4);
    return _mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes));
}
inline I32 load_widen(const std::uint16_t* p) {
    return _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline void store_narrow(std::uint8_t* p, I32 x) {
    const __m128i words = _mm_packus_epi32(x, x);
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    __builtin_memcpy(p, &bytes, 4);
}
inline void store_narrow(std::uint16_t* p, I32 x) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi32(x, x));
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

inline float reduce_min(F32 x) {
    const F32 pairs = _mm_min_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_min_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}
inline float reduce_max(F32 x) {
    const F32 pairs = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
}

}  // namespace
}  // namespace nnr::simd
