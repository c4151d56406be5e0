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

inline I32 load_widen(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline I32 load_widen(const std::uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_narrow(std::uint8_t* p, I32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x));
}
inline void store_narrow(std::uint16_t* p, I32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(x));
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

inline float reduce_min(F32 x) { return _mm512_reduce_min_ps(x); }
inline float reduce_max(F32 x) { return _mm512_reduce_max_ps(x); }

}  // namespace
}  // namespace nnr::simd
