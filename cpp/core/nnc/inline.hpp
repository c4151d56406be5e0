// The bin loops are one function each with their state in registers, which compilers do not do alone.
#pragma once

#if defined(__GNUC__)
#define NNR_INLINE inline __attribute__((always_inline))
#define NNR_OUTLINE __attribute__((noinline, cold))
#else
#define NNR_INLINE inline
#define NNR_OUTLINE
#endif
