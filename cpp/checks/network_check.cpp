// The network engine without Python: every level that this CPU runs against the scalar reference and
// exact results, and plans whose results depend on nothing but their input.
#include <chrono>
#include <string_view>

#include "../dispatch/targets.hpp"
#include "conv_check.hpp"
#include "engine_check.hpp"
#include "integer_blocks_check.hpp"
#include "integer_check.hpp"
#include "layer_check.hpp"
#include "plan_check.hpp"
#include "refusal_check.hpp"
#include "statistics_check.hpp"
#include "winograd_check.hpp"

namespace {

using namespace nnr;
using namespace nnr::checks;

template <class Check>
void run_check(const char* name, const Check& check) {
    using Clock = std::chrono::steady_clock;
    const int before = failures;
    const auto started = Clock::now();
    check();
    const std::chrono::duration<double> taken = Clock::now() - started;
    std::printf("%-24s %s, %.1f s\n", name, failures == before ? "ok" : "FAILED", taken.count());
    std::fflush(stdout);
}

}  // namespace

int main() {
    std::vector<const KernelTable*> levels;
    for (const std::string_view name : runnable_targets()) levels.push_back(kernels_of(name));
    for (const KernelTable* level : levels) std::printf("level %s\n", level->name);

    run_check("convolutions of floats", [&] { check_float_convs(levels); });
    run_check("blocks of floats", [&] { check_float_blocks(levels); });
    run_check("convolutions of integers", [&] { check_integer_convs(levels); });
    run_check("blocks of integers", [&] { check_integer_blocks(levels); });
    run_check("engine", [&] { check_engine(levels); });
    run_check("layers", [&] { check_layers(levels); });
    run_check("plans", check_plans);
    run_check("refusals", check_refusals);
    run_check("statistics", check_statistics);
    return failures == 0 ? 0 : 1;
}
