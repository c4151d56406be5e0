#include "targets.hpp"

#include <array>
#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nnr {
namespace {

struct Target {
    const KernelTable* kernels;
    bool (*runs_here)();
};

#if defined(__x86_64__)

// __builtin_cpu_supports also asks whether the operating system saves the registers.
bool has_sse4() {
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
           __builtin_cpu_supports("popcnt");
}

// GCC 11 does not know "f16c" by name.
bool has_f16c() {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2") && has_f16c();
}

bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

constexpr std::array kTargets{
    Target{&kScalarKernels, [] { return true; }},
    Target{&kSse4Kernels, has_sse4},
    Target{&kAvx2Kernels, has_avx2},
    Target{&kAvx512Kernels, has_avx512},
};

#elif defined(__aarch64__)

// Advanced SIMD is part of every ARMv8-A, so there is nothing to ask.
constexpr std::array kTargets{
    Target{&kScalarKernels, [] { return true; }},
    Target{&kNeonKernels, [] { return true; }},
};

#else
constexpr std::array kTargets{Target{&kScalarKernels, [] { return true; }}};
#endif

// The ladder: climb until the first level this CPU lacks.
std::size_t count_runnable() {
    std::size_t level = 0;
    while (level < kTargets.size() && kTargets[level].runs_here()) ++level;
    return level;
}

std::atomic<const KernelTable*>& current() {
    static std::atomic<const KernelTable*> table{kTargets[count_runnable() - 1].kernels};
    return table;
}

std::vector<std::string_view> first_names(std::size_t count) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back(kTargets[i].kernels->name);
    return names;
}

}  // namespace

std::vector<std::string_view> compiled_targets() { return first_names(kTargets.size()); }

std::vector<std::string_view> runnable_targets() { return first_names(count_runnable()); }

const KernelTable& kernels() { return *current().load(std::memory_order_relaxed); }

const KernelTable* kernels_of(std::string_view name) {
    for (std::size_t i = 0; i < count_runnable(); ++i)
        if (name == kTargets[i].kernels->name) return kTargets[i].kernels;
    return nullptr;
}

TargetStatus use_target(std::string_view name) {
    if (const KernelTable* table = kernels_of(name)) {
        current().store(table, std::memory_order_relaxed);
        return TargetStatus::ok;
    }
    for (const std::string_view compiled : compiled_targets())
        if (name == compiled) return TargetStatus::not_runnable;
    return TargetStatus::unknown;
}

}  // namespace nnr
