// The bitstream codec under a fuzzer. Inputs that begin with 0xff or 0xfe, as no bitstream of less
// than 1.9 GiB does, are tensors and options to encode, and the choices of a second writer; all
// others are bitstreams.
//
//     cmake --preset fuzz && cmake --build --preset fuzz
//     build/fuzz/nnc_fuzz -max_len=4096 some_folder cpp/checks/nnc_corpus
//
// Built without libFuzzer it runs the files that it is given, and those without an extension in the
// folders that it is given.
#include <cstddef>
#include <cstdint>

#include "nnc_decoding.hpp"
#include "nnc_encoding.hpp"
#include "nnc_making.hpp"

namespace {

using namespace nnr::checks;

constexpr std::uint8_t kEncodes = 0xff, kMakes = 0xfe;
constexpr std::uint64_t kMaxElements = 1 << 15;

void check(std::span<const std::uint8_t> input) {
    const std::uint8_t mode = input.empty() ? std::uint8_t{0} : input[0];
    if (mode < kMakes) return check_decoding(input, kMaxElements);
    Choices choices(input.subspan(1));
    if (mode == kEncodes)
        check_encoding(choices);
    else
        check_made(choices);
}

}  // namespace

#if defined(NNR_LIBFUZZER)

// What is wrong is thrown, and ends the fuzzer with its message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({data, size});
    return 0;
}

#else

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

struct Count {
    int run = 0, failed = 0;
};

void run(const std::filesystem::path& path, Count& count) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> bytes(chars.begin(), chars.end());
    ++count.run;
    try {
        if (!file.is_open()) throw Wrong("cannot be opened");
        check(bytes);
    } catch (const std::exception& error) {
        ++count.failed;
        std::printf("FAILED %s: %s\n", path.string().c_str(), error.what());
    }
}

}  // namespace

int main(int argc, char** argv) {
    Count count;
    for (int i = 1; i < argc; ++i) {
        const std::filesystem::path path(argv[i]);
        if (!std::filesystem::is_directory(path)) {
            run(path, count);
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
            if (entry.is_regular_file() && !entry.path().has_extension()) run(entry.path(), count);
    }
    std::printf("%d inputs, %d failures\n", count.run, count.failed);
    return count.failed == 0 && count.run > 0 ? 0 : 1;
}

#endif
