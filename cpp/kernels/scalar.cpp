// The scalar level: the reference loops themselves.
#include "reference/bitpack.hpp"
#include "reference/context_costs.hpp"
#include "reference/conv.hpp"
#include "reference/integer_scale.hpp"
#include "reference/minmax.hpp"
#include "reference/quantize.hpp"
#include "reference/trellis.hpp"
#include "reference/winograd.hpp"

#define NNR_KERNELS ::nnr::reference
#include "make_table.hpp"

namespace nnr {
constinit const KernelTable kScalarKernels = make_table("scalar");
}
