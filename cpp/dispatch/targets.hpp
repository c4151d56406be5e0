// Which levels this build holds, which of them this CPU can run, and which one is in use.
#pragma once

#include <string_view>
#include <vector>

#include "../kernels/kernel_table.hpp"

namespace nnr {

// Names of the levels, from the plainest to the best.
std::vector<std::string_view> compiled_targets();
std::vector<std::string_view> runnable_targets();

// The kernels in use. Read once at the top of a call, so that one call never mixes two levels.
const KernelTable& kernels();

enum class TargetStatus { ok, unknown, not_runnable };

// Makes another level the one in use, for the whole process.
TargetStatus use_target(std::string_view name);

// A level's kernels whether or not they are in use; null if unknown or not runnable here.
const KernelTable* kernels_of(std::string_view name);

}  // namespace nnr
