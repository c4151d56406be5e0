#include "images.hpp"

#include <limits>

#include "layer_kinds.hpp"

namespace nnr::network {
namespace {

// Calls visit(row of the image, first pixel of the window's row, channel) for what of the window
// lies on the image; `images` begins with the whole of a value like the window's.
template <class Stored, class Sample, class Visit>
void for_each_row(Stored* images, std::size_t image, const Window& window, const Visit& visit) {
    const Index height = along(window.sizes, Axis::rows);
    const Index width = along(window.sizes, Axis::columns);
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    for (std::size_t channel = 0; channel < window.channels(); ++channel) {
        const auto plane = static_cast<Index>(image * window.channels() + channel) * height;
        for (Index y = rows.begin; y < rows.end; ++y)
            visit(images + (plane + y) * width + columns.begin,
                  window.at<Sample>(y, columns.begin) + channel, channel);
    }
}

}  // namespace

template <class Sample>
void ArrayReader<Sample>::read(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    const std::size_t stride = window.pixel_stride();
    for_each_row<const Sample, Sample>(images_, image, window, [&](const Sample* row, Sample* pixels, std::size_t) {
        for (Index x = 0; x < width; ++x, pixels += stride) *pixels = row[x];
    });
}

template <class Sample>
void ArrayWriter<Sample>::write(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    const std::size_t stride = window.pixel_stride();
    for_each_row<Sample, Sample>(images_, image, window, [&](Sample* row, const Sample* pixels, std::size_t) {
        for (Index x = 0; x < width; ++x, pixels += stride) row[x] = *pixels;
    });
}

void QuantizingReader::read(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    const std::size_t stride = window.pixel_stride();
    with_sample_type(window.value->type, [&]<class Sample>(Sample*) {
        // Added to what is below 2^51, it leaves no fraction bits: the sum itself rounds, halves to even.
        constexpr double kNoFraction = 0x1.8p52;
        for_each_row<const float, Sample>(
            images_, image, window, [&](const float* row, Sample* pixels, std::size_t channel) {
                const double scale = scales_[channel];
                const double zero = window.value->zero(channel);
                const double lowest = std::numeric_limits<Sample>::lowest() - zero;
                const double highest = std::numeric_limits<Sample>::max() - zero;
                for (Index x = 0; x < width; ++x, pixels += stride) {
                    const double steps = static_cast<double>(row[x]) / scale;
                    const double kept = steps > lowest ? std::min(steps, highest) : lowest;
                    *pixels = static_cast<Sample>((kept + kNoFraction) - kNoFraction + zero);
                }
            });
    });
}

void DequantizingWriter::write(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    const std::size_t stride = window.pixel_stride();
    with_sample_type(window.value->type, [&]<class Sample>(Sample*) {
        for_each_row<float, const Sample>(
            images_, image, window, [&](float* row, const Sample* pixels, std::size_t channel) {
                const double scale = scales_[channel];
                const double zero = window.value->zero(channel);
                for (Index x = 0; x < width; ++x, pixels += stride)
                    row[x] = static_cast<float>((static_cast<double>(*pixels) - zero) * scale);
            });
    });
}

template <class Sample>
void PlaneReader<Sample>::read(std::size_t, const Window& window) const {
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    const std::size_t stride = window.pixel_stride();
    const auto fill = [&]<class To>(To*, const auto& converted) {
        for (Index y = rows.begin; y < rows.end; ++y) {
            To* pixels = window.at<To>(y, columns.begin);
            for (std::size_t channel = 0; channel < window.channels(); ++channel) {
                To* pixel = pixels + channel;
                if (channel >= channels_.size()) {
                    for (Index x = columns.begin; x < columns.end; ++x, pixel += stride)
                        *pixel = static_cast<To>(side_);
                    continue;
                }
                const PlaneView<const Sample>& view = channels_[channel];
                const Index plane_row = std::min(y * view.spacing + view.row, view.size.height - 1);
                const Sample* row = view.samples + plane_row * view.size.width;
                Index at = columns.begin * view.spacing + view.column;
                for (Index x = columns.begin; x < columns.end; ++x, pixel += stride, at += view.spacing)
                    *pixel = converted(row[std::min(at, view.size.width - 1)]);
            }
        }
    };
    if (window.value->type == SampleType::f32)
        fill(static_cast<float*>(nullptr),
             [&](Sample sample) { return static_cast<float>(sample) / peak_; });
    else
        fill(static_cast<std::int16_t*>(nullptr),
             [](Sample sample) { return static_cast<std::int16_t>(sample); });
}

template <class Sample>
void PlaneWriter<Sample>::write(std::size_t, const Window& window) const {
    const std::size_t stride = window.pixel_stride();
    const auto store = [&]<class From>(From*, const auto& converted) {
        for (std::size_t channel = 0; channel < channels_.size(); ++channel) {
            const PlaneView<Sample>& view = channels_[channel];
            // How many rows and columns the channel has: those of the plane, divided and rounded up.
            const auto seen = [&](Index side, Index first) {
                return (side - first + view.spacing - 1) / view.spacing;
            };
            const Interval rows = inside(window.rows(), seen(view.size.height, view.row));
            const Interval columns = inside(window.columns(), seen(view.size.width, view.column));
            for (Index y = rows.begin; y < rows.end; ++y) {
                Sample* sample = view.samples +
                                 (y * view.spacing + view.row) * view.size.width +
                                 columns.begin * view.spacing + view.column;
                const From* pixel = window.at<From>(y, columns.begin) + channel;
                for (Index x = columns.begin; x < columns.end;
                     ++x, pixel += stride, sample += view.spacing)
                    *sample = converted(*pixel);
            }
        }
    };
    if (window.value->type == SampleType::i16)
        return store(static_cast<std::int16_t*>(nullptr),
                     [](std::int16_t x) { return static_cast<Sample>(x); });
    // Between 0 and 2^22, adding 2^23 leaves no fraction bits: the sum itself rounds, halves to
    // even.
    constexpr float kNoFraction = 0x1p23f;
    store(static_cast<float*>(nullptr), [&](float x) {
        const float level = x * peak_;
        const float clipped = level > 0.0f ? (level < peak_ ? level : peak_) : 0.0f;
        return static_cast<Sample>((clipped + kNoFraction) - kNoFraction);
    });
}

template class ArrayReader<float>;
template class ArrayReader<std::uint8_t>;
template class ArrayReader<std::int16_t>;
template class ArrayWriter<float>;
template class ArrayWriter<std::uint8_t>;
template class ArrayWriter<std::int16_t>;
template class PlaneReader<std::uint8_t>;
template class PlaneReader<std::uint16_t>;
template class PlaneWriter<std::uint8_t>;
template class PlaneWriter<std::uint16_t>;

}  // namespace nnr::network
