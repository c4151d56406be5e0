// The bitstream codec without Python: tensors with any options at every level this CPU runs,
// streams of a second writer, and ten streams cut at every byte and with every bit of their headers
// changed. What must hold is in nnc_encoding.hpp, nnc_making.hpp and nnc_decoding.hpp, as for
// nnc_fuzz.
//
//     nnc_check                     check everything
//     nnc_check seeds FOLDER        write the ten streams, and choices, as seeds for nnc_fuzz
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "../dispatch/targets.hpp"
#include "nnc_decoding.hpp"
#include "nnc_encoding.hpp"
#include "nnc_making.hpp"

namespace {

using namespace nnr;
using namespace nnr::checks;

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kMaxElements = 1 << 15;
constexpr unsigned kEncodings = 600, kMade = 1200;

int failures = 0;

template <class Check>
void expect(const std::string& what, const Check& check) {
    try {
        check();
    } catch (const std::exception& error) {
        ++failures;
        std::printf("FAILED %s: %s\n", what.c_str(), error.what());
    }
}

Bytes random_bytes(std::uint64_t seed) {
    Numbers numbers(seed);
    Bytes bytes(numbers.below(8) == 0 ? 400 : 70);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(numbers.next());
    return bytes;
}

// Every level has to write the same bytes as the first.
void check_encodings(const std::string& level, std::vector<Bytes>& written) {
    for (unsigned seed = 0; seed < kEncodings; ++seed) {
        expect(level + ", encoding " + std::to_string(seed), [&] {
            const Bytes bytes = random_bytes(seed);
            Choices choices(bytes);
            const Bytes stream = check_encoding(choices);
            if (written.size() <= seed) written.push_back(stream);
            require(written[seed] == stream, "other bytes than the first level writes");
        });
    }
}

void check_made_streams() {
    for (unsigned seed = 0; seed < kMade; ++seed) {
        expect("made stream " + std::to_string(seed), [&] {
            const Bytes bytes = random_bytes(seed + kEncodings);
            Choices choices(bytes);
            check_made(choices);
        });
    }
}

struct NamedStream {
    std::string name;
    Bytes bytes;
};

NamedStream encoded_stream(const std::string& name, std::vector<std::uint32_t> dimensions,
                           const EncodeOptions& options, bool in_series) {
    std::size_t count = 1;
    for (const std::uint32_t dimension : dimensions) count *= dimension;
    Numbers numbers(count);
    std::vector<float> floats(count);
    for (std::size_t i = 0; i < count; ++i)
        floats[i] = i / 16 % 3 == 0 ? 0 : static_cast<float>(numbers.signed_unit(3));
    const Past past = made_up_past(count);
    std::vector<EncodeTask> tasks(2);
    for (EncodeTask& task : tasks) {
        task.name = &task == &tasks[0] ? "weight" : "bias";
        task.dimensions = dimensions;
        task.floats = floats;
        task.options = options;
        task.qp = -12;
        if (!in_series) continue;
        task.parent.emplace().temporal_context_modeling = &task == &tasks[0];
        task.base_levels = past.levels;
        task.history = past.history;
    }
    const SeriesParameters parameters{2, in_series};
    encode_units(tasks, parameters, 1);
    return {name, bytes_of(parameters, tasks)};
}

// Streams of the second writer that hold what is asked for.
template <class Holds>
NamedStream first_made(const std::string& name, const Holds& holds) {
    constexpr std::size_t kShortest = 120, kLongest = 600;
    for (std::uint64_t seed = 0;; ++seed) {
        const Bytes bytes = random_bytes(seed);
        Choices choices(bytes);
        const MadeStream made = made_stream(choices);
        if (made.bytes.size() >= kShortest && made.bytes.size() <= kLongest &&
            std::ranges::any_of(made.units, holds, &MadeUnit::header))
            return {name, made.bytes};
    }
}

std::vector<NamedStream> ten_streams() {
    EncodeOptions plain, uniform, blocks, codebook, raw;
    uniform.dq = false;
    uniform.nncodec = true;
    blocks.scan_order = 1;
    codebook.codebook = true;
    raw.raw = true;
    const auto has = [](unsigned parts) {
        return [parts](const DataUnit& unit) { return (unit.parts & parts) == parts; };
    };
    return {encoded_stream("plain", {12, 3, 5}, plain, false),
            encoded_stream("uniform", {10, 16}, uniform, false),
            encoded_stream("scan", {20, 10}, blocks, false),
            encoded_stream("codebook", {9, 16}, codebook, false),
            encoded_stream("series", {11, 16}, plain, true),
            encoded_stream("raw", {4, 7}, raw, false),
            first_made("factors", has(parts::kDecomposition)),
            first_made("block", has(parts::kBatchNorm | parts::kBias | parts::kLocalScaling)),
            first_made("edition1",
                       [](const DataUnit& unit) { return unit.parameters.edition == 1; }),
            first_made("hash", [](const DataUnit& unit) {
                return unit.parent && unit.parent->type != ParentIdType::node;
            })};
}

void check_cuts(const NamedStream& stream) {
    const Stream whole = parse(stream.bytes);
    for (std::size_t size = 0; size < stream.bytes.size(); ++size) {
        const auto cut = std::span<const std::uint8_t>(stream.bytes).first(size);
        const bool between_units = std::ranges::any_of(
            whole.units, [&](const Unit& unit) { return unit.end() == size; });
        expect(stream.name + " cut to " + std::to_string(size), [&] {
            check_decoding(cut, kMaxElements);
            require(parsed(cut).has_value() == between_units, "a cut that is not noticed");
        });
    }
}

void check_flips(const NamedStream& stream) {
    Bytes bytes = stream.bytes;
    const Stream whole = parse(bytes);
    std::size_t data_unit = 0;
    for (const Unit& unit : whole.units) {
        std::size_t end = unit.end();
        if (unit.is(UnitType::compressed_data)) end = whole.data_units[data_unit++].payload;
        for (std::size_t bit = unit.offset * 8; bit < end * 8; ++bit) {
            bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
            expect(stream.name + " with bit " + std::to_string(bit) + " flipped",
                   [&] { check_decoding(bytes, kMaxElements); });
            bytes[bit / 8] = stream.bytes[bit / 8];
        }
    }
}

void write(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream file(path, std::ios::binary);
    for (const std::uint8_t byte : bytes) file.put(static_cast<char>(byte));
}

void write_seeds(const std::filesystem::path& folder) {
    constexpr unsigned kOfEachKind = 60;
    for (const NamedStream& stream : ten_streams()) write(folder / stream.name, stream.bytes);
    for (unsigned seed = 0; seed < kOfEachKind; ++seed) {
        Bytes bytes = random_bytes(seed);
        Choices choices(bytes);
        write(folder / ("made" + std::to_string(seed)), made_stream(choices).bytes);
        for (const std::uint8_t mode : {std::uint8_t{0xfe}, std::uint8_t{0xff}}) {
            bytes[0] = mode;
            write(folder / ("choices" + std::to_string(mode) + "-" + std::to_string(seed)), bytes);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && argv[1] == std::string_view("seeds")) {
        write_seeds(argv[2]);
        return 0;
    }
    std::vector<Bytes> written;
    for (const std::string_view name : runnable_targets()) {
        use_target(name);
        check_encodings(std::string(name), written);
        std::printf("checked %s\n", std::string(name).c_str());
    }
    check_made_streams();
    for (const NamedStream& stream : ten_streams()) {
        check_cuts(stream);
        check_flips(stream);
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
