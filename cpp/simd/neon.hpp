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

// The compiler offers no such store.
template <class T>
void store_past_cache(T* p, F32 x) {
    store(p, x);
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
inline void store_narrow(std::uint16_t* p, const I32 (&x)[2]) {
    vst1q_u16(p, vcombine_u16(vqmovun_s32(x[0]), vqmovun_s32(x[1])));
}
inline void store_narrow(std::uint8_t* p, const I32 (&x)[4]) {
    const uint16x8_t words_a = vcombine_u16(vqmovun_s32(x[0]), vqmovun_s32(x[1]));
    const uint16x8_t words_b = vcombine_u16(vqmovun_s32(x[2]), vqmovun_s32(x[3]));
    vst1q_u8(p, vcombine_u8(vqmovn_u16(words_a), vqmovn_u16(words_b)));
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

inline I32 as_bits(F32 x) { return vreinterpretq_s32_f32(x); }
inline I32 max_unsigned(I32 a, I32 b) {
    return vreinterpretq_s32_u32(vmaxq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)));
}
inline std::uint32_t reduce_max_unsigned(I32 x) { return vmaxvq_u32(vreinterpretq_u32_s32(x)); }

inline float reduce_min(F32 x) { return vminvq_f32(x); }
inline float reduce_max(F32 x) { return vmaxvq_f32(x); }

using Bits = uint8x16_t;
constexpr std::size_t kRows = 1;
constexpr std::uint8_t kZeroByte = 0x80;

inline Bits splat_u16(std::uint16_t x) { return vreinterpretq_u8_u16(vdupq_n_u16(x)); }
inline Bits bit_and(Bits a, Bits b) { return vandq_u8(a, b); }
inline Bits bit_or(Bits a, Bits b) { return vorrq_u8(a, b); }

inline Bits load_bits(const void* p) { return vld1q_u8(static_cast<const std::uint8_t*>(p)); }
inline void store_bits(void* p, Bits x) { vst1q_u8(static_cast<std::uint8_t*>(p), x); }
inline Bits rows(const std::uint8_t (&row)[16]) { return load_bits(row); }
inline Bits load_rows(const std::uint8_t* p, std::size_t) { return load_bits(p); }
inline void store_rows(std::uint8_t* p, std::size_t, Bits x) { store_bits(p, x); }
inline Bits rearrange(Bits x, Bits pattern) { return vqtbl1q_u8(x, pattern); }
inline Bits shift_second_half(Bits x, std::int64_t up) {
    const int64x2_t shifts = vcombine_s64(vcreate_s64(0), vdup_n_s64(up));
    return vreinterpretq_u8_u64(vshlq_u64(vreinterpretq_u64_u8(x), shifts));
}
inline Bits second_half_up_4(Bits x) { return shift_second_half(x, 4); }
inline Bits second_half_down_4(Bits x) { return shift_second_half(x, -4); }

// The low `kKept` bits of each lane stay, above them come those from bit `kFrom` on.
template <unsigned kLane, unsigned kKept, unsigned kFrom>
Bits append(Bits x) {
    if constexpr (kKept == kFrom) {
        return x;
    } else if constexpr (kLane == 16) {
        const uint16x8_t lanes = vreinterpretq_u16_u8(x);
        return vreinterpretq_u8_u16(vsliq_n_u16(lanes, vshrq_n_u16(lanes, kFrom), kKept));
    } else if constexpr (kLane == 32) {
        const uint32x4_t lanes = vreinterpretq_u32_u8(x);
        return vreinterpretq_u8_u32(vsliq_n_u32(lanes, vshrq_n_u32(lanes, kFrom), kKept));
    } else {
        const uint64x2_t lanes = vreinterpretq_u64_u8(x);
        return vreinterpretq_u8_u64(vsliq_n_u64(lanes, vshrq_n_u64(lanes, kFrom), kKept));
    }
}
template <unsigned kLane, unsigned kBits>
Bits join(Bits x) {
    return append<kLane, kBits, kLane / 2>(x);
}
template <unsigned kLane, unsigned kBits>
Bits split(Bits x) {
    return append<kLane, kLane / 2, kBits>(x);
}


// Sixteen 16-bit integers.
struct I16 {
    int16x8_t first, last;
};
inline I16 load_i16(const std::int16_t* p) { return {vld1q_s16(p), vld1q_s16(p + 8)}; }
inline void store_i16(std::int16_t* p, I16 x) {
    vst1q_s16(p, x.first);
    vst1q_s16(p + 8, x.last);
}
inline I16 splat_i16(std::int16_t x) { return {vdupq_n_s16(x), vdupq_n_s16(x)}; }
inline I16 add(I16 a, I16 b) { return {vaddq_s16(a.first, b.first), vaddq_s16(a.last, b.last)}; }
template <int kBits>
I16 shift_left(I16 x) {
    return {vshlq_n_s16(x.first, kBits), vshlq_n_s16(x.last, kBits)};
}
template <int kBits>
I16 shift_right(I16 x) {
    return {vshrq_n_s16(x.first, kBits), vshrq_n_s16(x.last, kBits)};
}
inline I16 with_sign(I16 x, I16 sign) {
    return {vmulq_s16(x.first, sign.first), vmulq_s16(x.last, sign.last)};
}

using Shifts16 = I16;
inline Shifts16 shifts(const std::int16_t* counts) {
    const I16 up = load_i16(counts);
    return {vnegq_s16(up.first), vnegq_s16(up.last)};
}
inline I16 shift_right(I16 x, const Shifts16& counts) {
    return {vshlq_s16(x.first, counts.first), vshlq_s16(x.last, counts.last)};
}

inline I16 max(I16 a, I16 b) {
    return {vmaxq_s16(a.first, b.first), vmaxq_s16(a.last, b.last)};
}
inline I16 zero_where_equal(I16 x, I16 a, I16 b) {
    return {vbicq_s16(x.first, vreinterpretq_s16_u16(vceqq_s16(a.first, b.first))),
            vbicq_s16(x.last, vreinterpretq_s16_u16(vceqq_s16(a.last, b.last)))};
}

// A byte lookup gives 0 where the index is 16 or more.
using ByteTable = uint8x16_t;
inline ByteTable byte_table(const std::uint8_t* entries) { return vld1q_u8(entries); }
inline int16x8_t lookup_negative(int16x8_t x, ByteTable entries) {
    const uint16x8_t index = veorq_u16(vreinterpretq_u16_s16(x), vdupq_n_u16(0x00f0));
    const uint8x16_t bytes = vreinterpretq_u8_u16(vorrq_u16(index, vdupq_n_u16(0xff00)));
    return vreinterpretq_s16_u8(vqtbl1q_u8(entries, bytes));
}
inline I16 lookup_negative(I16 x, ByteTable entries) {
    return {lookup_negative(x.first, entries), lookup_negative(x.last, entries)};
}


// Integers of the network kernels.
inline I32 load_i32(const std::int32_t* p) { return vld1q_s32(p); }
inline void store_i32(std::int32_t* p, I32 x) { vst1q_s32(p, x); }
inline I32 splat_i32(std::int32_t x) { return vdupq_n_s32(x); }
inline I32 load_widen(const std::int16_t* p) { return vmovl_s16(vld1_s16(p)); }
inline I16 load_widen_i16(const std::uint8_t* p) {
    const uint8x16_t bytes = vld1q_u8(p);
    return {vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))),
            vreinterpretq_s16_u16(vmovl_high_u8(bytes))};
}
inline void store_clamped(std::uint8_t* p, I32 x) {
    const uint16x4_t words = vqmovun_s32(x);
    const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
    const std::uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    __builtin_memcpy(p, &four, sizeof four);
}
inline void store_clamped(std::int16_t* p, I32 x) { vst1_s16(p, vqmovn_s32(x)); }

inline I16 sub(I16 a, I16 b) { return {vsubq_s16(a.first, b.first), vsubq_s16(a.last, b.last)}; }
inline I32 add_i32(I32 a, I32 b) { return vaddq_s32(a, b); }
inline I32 sub_i32(I32 a, I32 b) { return vsubq_s32(a, b); }
inline I32 mul_i32(I32 a, I32 b) { return vmulq_s32(a, b); }
inline I32 min_i32(I32 a, I32 b) { return vminq_s32(a, b); }
inline I32 max_i32(I32 a, I32 b) { return vmaxq_s32(a, b); }
template <int kBits>
I32 shift_left_i32(I32 x) {
    return vshlq_n_s32(x, kBits);
}
template <int kBits>
I32 shift_right_i32(I32 x) {
    return vshrq_n_s32(x, kBits);
}
inline I32 shift_right_i32(I32 x, std::uint32_t bits) {
    return vshlq_s32(x, vdupq_n_s32(-static_cast<std::int32_t>(bits)));
}
inline I32 select_negative(I32 x, I32 a, I32 b) {
    return vbslq_s32(vreinterpretq_u32_s32(vshrq_n_s32(x, 31)), a, b);
}
// Products of the first and of the last two lanes, in 64 bits.
struct I64 {
    int64x2_t first, last;
};
inline I64 wide_product(I32 a, I32 b) {
    return {vmull_s32(vget_low_s32(a), vget_low_s32(b)), vmull_high_s32(a, b)};
}
inline I64 add(I64 a, I64 b) {
    return {vaddq_s64(a.first, b.first), vaddq_s64(a.last, b.last)};
}
inline I32 bits_from_16(I64 x) {
    return vcombine_s32(vshrn_n_s64(x.first, 16), vshrn_n_s64(x.last, 16));
}
inline I32 high_product(I32 a, I32 m) {
    return vcombine_s32(vrshrn_n_s64(vmull_s32(vget_low_s32(a), vget_low_s32(m)), 32),
                        vrshrn_n_s64(vmull_high_s32(a, m), 32));
}
inline I32 dot_u8i8(I32 sums, I32 x, I32 weights) {
    const uint8x16_t bytes = vreinterpretq_u8_s32(x);
    const int8x16_t factors = vreinterpretq_s8_s32(weights);
    // A product of a byte and a signed byte fits into a word.
    const int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))),
                                    vmovl_s8(vget_low_s8(factors)));
    const int16x8_t high =
        vmulq_s16(vreinterpretq_s16_u16(vmovl_high_u8(bytes)), vmovl_high_s8(factors));
    return vaddq_s32(sums, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}
inline I32 dot_i16(I32 sums, I32 x, I32 weights) {
    const int16x8_t a = vreinterpretq_s16_s32(x), b = vreinterpretq_s16_s32(weights);
    const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
    return vaddq_s32(sums, vpaddq_s32(low, vmull_high_s16(a, b)));
}
inline float reduce_add(F32 x) { return vaddvq_f32(x); }
inline std::int32_t reduce_add_i32(I32 x) { return vaddvq_s32(x); }

}  // namespace
}  // namespace nnr::simd
