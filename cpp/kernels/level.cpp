// A vector level: the generic kernel bodies over one ISA's leaf operations. The build compiles this
// file once a level, with that level's flags and one of the NNR_LEVEL_* macros.
#if defined(NNR_LEVEL_SSE4)
#include "../simd/sse4.hpp"
#define NNR_TABLE kSse4Kernels
#define NNR_NAME "sse4"
#elif defined(NNR_LEVEL_AVX2)
#include "../simd/avx2.hpp"
#define NNR_TABLE kAvx2Kernels
#define NNR_NAME "avx2"
#elif defined(NNR_LEVEL_AVX512)
#include "../simd/avx512.hpp"
#define NNR_TABLE kAvx512Kernels
#define NNR_NAME "avx512"
#elif defined(NNR_LEVEL_NEON)
#include "../simd/neon.hpp"
#define NNR_TABLE kNeonKernels
#define NNR_NAME "neon"
#else
#error "the build names the level: NNR_LEVEL_SSE4, _AVX2, _AVX512 or _NEON"
#endif

#include "bitpack.hpp"
#include "context_costs.hpp"
#include "conv.hpp"
#include "depthwise_conv.hpp"
#include "integer_scale.hpp"
#include "minmax.hpp"
#include "quantize.hpp"
#include "thin_conv.hpp"
#include "trellis.hpp"
#include "winograd.hpp"

#define NNR_KERNELS ::nnr
#include "make_table.hpp"

namespace nnr {
constinit const KernelTable NNR_TABLE = make_table(NNR_NAME);
}
