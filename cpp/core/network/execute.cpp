#include "execute.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <vector>

#include "../../dispatch/targets.hpp"
#include "../parallel.hpp"
#include "layers.hpp"
#include "sizes.hpp"
#include "tiling_memory.hpp"

namespace nnr::network {
namespace {

// The rows of every value that a step of a strip needs. Made once a call.
class Arena {
public:
    Arena(const Plan& plan, const Tiling& tiling)
        : values_(tiling.arena_bytes()), held_(plan.value_count()) {}

    std::byte* at(std::size_t offset) const { return values_.get() + offset; }
    // Which rows of each value are there.
    std::vector<Interval>& held() { return held_; }

private:
    AlignedBytes values_;
    std::vector<Interval> held_;
};

// One thread of those that compute an item together, each a part of the rows of every layer.
class Member {
public:
    explicit Member(const Plan& plan)
        : scratch_(scratch_bytes(plan)), inputs_(most_inputs(plan)) {}

    void join(std::size_t number, std::size_t team) {
        number_ = number;
        team_ = team;
    }
    bool leads() const { return number_ == 0; }
    std::byte* scratch() const { return scratch_.get(); }
    // Room for the inputs of any layer.
    std::vector<Window>& inputs() { return inputs_; }

    // This member's part of the rows of a layer's output; of a layer that computes blocks, whole ones.
    Window part(const Window& whole, const Phase* phase) const {
        const Index unit = phase == nullptr ? 1 : static_cast<Index>(kWinogradOutputs);
        const Interval rows = whole.rows();
        Index first = rows.begin;
        if (phase != nullptr) {
            const Index place = (first - along(*phase, Axis::rows)) % unit;
            first -= place < 0 ? place + unit : place;
        }
        const Index units = (rows.end - first + unit - 1) / unit;
        const auto edge = [&](std::size_t number) {
            const Index share = units * static_cast<Index>(number) / static_cast<Index>(team_);
            return std::clamp(first + share * unit, rows.begin, rows.end);
        };
        Window part = whole.from_row(edge(number_));
        along(part.parts, Axis::rows).end = edge(number_ + 1);
        return part;
    }

private:
    static std::size_t most_inputs(const Plan& plan) {
        std::size_t most = 0;
        for (const Layer& layer : plan.layers()) most = std::max(most, layer.inputs.size());
        return most;
    }

    std::size_t number_ = 0;
    std::size_t team_ = 1;
    AlignedBytes scratch_;
    std::vector<Window> inputs_;
};

class Execution {
public:
    Execution(const Plan& plan, const Tiling& tiling, const ImageReader& reader,
              const ImageWriter& writer, const Observer* observer)
        : plan_(plan),
          tiling_(tiling),
          kernels_(kernels()),
          reader_(reader),
          writer_(writer),
          observer_(observer) {}

    // The strips and segments of all images.
    std::size_t items(std::size_t images) const {
        return images * tiling_.strips() * tiling_.segments();
    }

    // Every member of the team calls this with the same item, arena and meeting.
    void run_item(std::size_t item, Arena& arena, Member& member, Meeting& meeting) const {
        const std::size_t strip = item % tiling_.strips();
        const std::size_t segment = item / tiling_.strips() % tiling_.segments();
        const std::size_t image = item / tiling_.strips() / tiling_.segments();
        for (std::size_t step = tiling_.first_step(segment);
             step < tiling_.first_step(segment + 1); ++step) {
            meeting.wait();
            if (member.leads()) keep_rows(strip, step, step == tiling_.first_step(segment), arena);
            meeting.wait();
            run_step(image, strip, step, arena, member, meeting);
        }
    }

private:
    Window window(std::size_t strip, std::size_t step, ValueId value, const Arena& arena) const {
        return {arena.at(tiling_.offset(value)),
                {tiling_.rows(step, value).all(), tiling_.columns(strip, value)},
                {tiling_.size(value, Axis::rows), tiling_.size(value, Axis::columns)},
                &plan_.value(value)};
    }

    // The rows of a value that a step computes.
    Window computed(std::size_t strip, std::size_t step, ValueId value, const Arena& arena) const {
        return window(strip, step, value, arena).from_row(tiling_.rows(step, value).computed);
    }

    // Moves the rows that this step keeps of each value to the top of its place.
    void keep_rows(std::size_t strip, std::size_t step, bool first, Arena& arena) const {
        for (ValueId value = 0; value < plan_.value_count(); ++value) {
            const Rows& rows = tiling_.rows(step, value);
            Interval& held = arena.held()[value];
            if (!first && rows.keeps()) {
                const Window whole = window(strip, step, value, arena);
                const std::size_t row_bytes =
                    whole.row_stride() * sample_size(plan_.value(value).type);
                const auto skipped = static_cast<std::size_t>(rows.all().begin - held.begin);
                const auto kept = static_cast<std::size_t>(rows.computed - rows.all().begin);
                if (skipped != 0)
                    std::memmove(whole.pixels, whole.pixels + skipped * row_bytes,
                                 kept * row_bytes);
            }
            held = rows.all();
        }
    }

    void run_step(std::size_t image, std::size_t strip, std::size_t step, const Arena& arena,
                  Member& member, Meeting& meeting) const {
        const Window input = member.part(computed(strip, step, Plan::input(), arena), nullptr);
        clear_outside(input);
        reader_.read(image, input);
        if (observer_ != nullptr) (*observer_)(Plan::input(), input);
        for (const Layer& layer : plan_.layers()) {
            meeting.wait();
            for (std::size_t i = 0; i < layer.inputs.size(); ++i)
                member.inputs()[i] = window(strip, step, layer.inputs[i], arena);
            const Window output = member.part(computed(strip, step, layer.output, arena),
                                              block_phase(layer.operation));
            run_layer(layer.operation, kernels_, {member.inputs().data(), layer.inputs.size()},
                      output, member.scratch());
            clear_outside(output);
            if (observer_ != nullptr) (*observer_)(layer.output, output);
        }
        meeting.wait();
        writer_.write(image, member.part(computed(strip, step, plan_.output(), arena), nullptr));
    }

    const Plan& plan_;
    const Tiling& tiling_;
    const KernelTable& kernels_;
    const ImageReader& reader_;
    const ImageWriter& writer_;
    const Observer* observer_;
};

std::vector<Member> members_of(const Plan& plan, std::size_t count) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < count; ++i) members.emplace_back(plan);
    return members;
}

// Each thread takes the next item.
void run_side_by_side(const Plan& plan, const Tiling& tiling, const Execution& execution,
                      std::size_t items, std::size_t threads) {
    std::vector<Member> members = members_of(plan, threads);
    std::vector<Arena> arenas;
    for (std::size_t i = 0; i < threads; ++i) arenas.emplace_back(plan, tiling);
    std::atomic<std::size_t> next{0};
    parallel_for(threads, threads, [&](std::size_t thread, std::size_t) noexcept {
        Meeting alone;
        for (std::size_t item; (item = next.fetch_add(1)) < items;)
            execution.run_item(item, arenas[thread], members[thread], alone);
    });
}

// All threads compute one item after the other.
void run_together(const Plan& plan, const Tiling& tiling, const Execution& execution,
                  std::size_t items, std::size_t threads) {
    std::vector<Member> members = members_of(plan, threads);
    Arena arena(plan, tiling);
    parallel_team(threads, [&](std::size_t number, std::size_t team, Meeting& meeting) noexcept {
        members[number].join(number, team);
        for (std::size_t item = 0; item < items; ++item)
            execution.run_item(item, arena, members[number], meeting);
    });
}

// Computes the first rows and columns of the output, as many as `part` has.
void execute(const Plan& plan, Size size, Size part, std::size_t images, const RunOptions& options,
             const ImageReader& reader, const ImageWriter& writer) {
    const std::size_t asked = options.threads != 0 ? options.threads : default_threads();
    const std::shared_ptr<const Tiling> tiling =
        options.cut ? std::make_shared<const Tiling>(plan, size, part, *options.cut)
                    : plan.memory().choose(plan, {size, part, images, asked});
    const Execution execution(plan, *tiling, reader, writer, nullptr);
    const std::size_t items = execution.items(images);
    if (items == 0) return;
    if (items < asked)
        run_together(plan, *tiling, execution, items, std::min(asked, kMaxTeam));
    else
        run_side_by_side(plan, *tiling, execution, items, asked);
}

// Calls compute with null pointers of the types of the plan's input and output.
template <class Compute>
void with_types(const Plan& plan, const Compute& compute) {
    const auto type = plan.value(plan.output()).type;
    const auto with_output = [&]<class Input>(Input* input) {
        if (type == SampleType::f32) return compute(input, static_cast<float*>(nullptr));
        if (type == SampleType::u8) return compute(input, static_cast<std::uint8_t*>(nullptr));
        compute(input, static_cast<std::int16_t*>(nullptr));
    };
    const auto input = plan.value(Plan::input()).type;
    if (input == SampleType::f32) return with_output(static_cast<float*>(nullptr));
    if (input == SampleType::u8) return with_output(static_cast<std::uint8_t*>(nullptr));
    with_output(static_cast<std::int16_t*>(nullptr));
}

}  // namespace

void run(const Plan& plan, const void* input, std::size_t images, Size size,
         const RunOptions& options, void* output) {
    with_types(plan, [&]<class Input, class Output>(Input*, Output*) {
        execute(plan, size, output_size(plan, size), images, options,
                ArrayReader<Input>(static_cast<const Input*>(input)),
                ArrayWriter<Output>(static_cast<Output*>(output)));
    });
}

void run_quantized(const Plan& plan, const float* input, std::size_t images, Size size,
                   const Scales& scales, const RunOptions& options, float* output) {
    execute(plan, size, output_size(plan, size), images, options,
            QuantizingReader(input, scales.input), DequantizingWriter(output, scales.output));
}

template <class Sample>
void filter_planes(const Plan& plan, const PlaneFilter<Sample>& filter, const RunOptions& options) {
    execute(plan, taken_size(plan, filter.size), filter.size, 1, options,
            PlaneReader<Sample>(filter.input, filter.peak, filter.side),
            PlaneWriter<Sample>(filter.output, filter.peak));
}

template void filter_planes(const Plan&, const PlaneFilter<std::uint8_t>&, const RunOptions&);
template void filter_planes(const Plan&, const PlaneFilter<std::uint16_t>&, const RunOptions&);

void observe(const Plan& plan, const float* input, Size size, const Observer& observer) {
    // One strip, whatever it takes, so that no sample is computed twice.
    constexpr Index kStep = 16;
    const Size part = output_size(plan, size);
    const Tiling tiling(plan, size, part, {part.width, kStep, part.height});
    Arena arena(plan, tiling);
    std::vector<float> output(plan.value(plan.output()).channels *
                              static_cast<std::size_t>(part.height * part.width));
    const ArrayReader<float> reader(input);
    const ArrayWriter<float> writer(output.data());
    const Execution execution(plan, tiling, reader, writer, &observer);
    Member member(plan);
    Meeting alone;
    execution.run_item(0, arena, member, alone);
}

}  // namespace nnr::network
