// Advanced SIMD of every ARMv8-A: 4 lanes.
#pragma once

#include <arm_neon.h>

#include "../kernels/float_types.hpp"

namespace nnr::simd {
namespace {

using F32 = float32x4_t;
using I32 = int32x4_t;
using Mask = uint32x4_t;
constexpr std::size_t kLanes = 4;
constexpr std::size_t kRegisters = 32;

inline F32 splat(float x) { return vdupq_n_f32(x); }

inline F32 load(const float* p) { return vld1q_f32(p); }
inline F32 load(const Float16* p) {
    const uint16x4_t bits = vld1_u16(reinterpret_cast<const std::uint16_t*>(p));
    return vcvt_f32_f16(vreinterpret_f16_u16(bits));
}
inline F32 load(const BFloat16* p) {
    const uint16x4_t bits = vld1_u16(reinterpret_cast<const std::uint16_t*>(p));
    return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}
inline F32 load(const double* p) {
    return vcvt_high_f32_f64(vcvt_f32_f64(vld1q_f64(p)), vld1q_f64(p + 2));
}

inline void store(float* p, F32 x) { vst1q_f32(p, x); }
inline void store(Float16* p, F32 x) {
    vst1_u16(reinterpret_cast<std::uint16_t*>(p), vreinterpret_u16_f16(vcvt_f16_f32(x)));
}
inline void store(BFloat16* p, F32 x) {
    const uint32x4_t bits = vreinterpretq_u32_f32(x);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    vst1_u16(reinterpret_cast<std::uint16_t*>(p), vshrn_n_u32(rounded, 16));
}
inline void store(double* p, F32 x) {
    vst1q_f64(p, vcvt_f64_f32(vget_low_f32(x)));
    vst1q_f64(p + 2, vcvt_high_f64_f32(x));
}

inline I32 load_widen(const std::uint8_t* p) {
    std::uint32_t bytes;
    __builtin_memcpy(&bytes, p, 4);
    const uint16x8_t words = vmovl_u8(vcreate_u8(bytes));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
}
inline I32 load_widen(const std::uint16_t* p) {
    return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)));
}
inline void store_narrow(std::uint8_t* p, I32 x) {
    const uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(x));
    const uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
    const std::uint32_t lanes = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    __builtin_memcpy(p, &lanes, 4);
}
inline void store_narrow(std::uint16_t* p, I32 x) {
    vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(x)));
}

inline F32 add(F32 a, F32 b) { return vaddq_f32(a, b); }
inline F32 sub(F32 a, F32 b) { return vsubq_f32(a, b); }
inline F32 mul(F32 a, F32 b) { return vmulq_f32(a, b); }
inline F32 mul_add(F32 a, F32 b, F32 c) { return vfmaq_f32(c, a, b); }
inline F32 min(F32 a, F32 b) { return vminq_f32(a, b); }
inline F32 max(F32 a, F32 b) { return vmaxq_f32(a, b); }

inline Mask less(F32 a, F32 b) { return vcltq_f32(a, b); }
inline Mask equal(F32 a, F32 b) { return vceqq_f32(a, b); }
inline Mask not_finite(F32 x) {
    return vmvnq_u32(vcleq_f32(vabsq_f32(x), vdupq_n_f32(__FLT_MAX__)));
}
inline F32 select(Mask m, F32 a, F32 b) { return vbslq_f32(m, a, b); }
inline bool any(Mask m) { return vmaxvq_u32(m) != 0; }
inline unsigned count(Mask m) { return vaddvq_u32(vshrq_n_u32(m, 31)); }

inline I32 round_to_i32(F32 x) { return vcvtnq_s32_f32(x); }
inline F32 i32_to_f32(I32 x) { return vcvtq_f32_s32(x); }

inline float reduce_min(F32 x) { return vminvq_f32(x); }
inline float reduce_max(F32 x) { return vmaxvq_f32(x); }

}  // namespace
}  // namespace nnr::simd
