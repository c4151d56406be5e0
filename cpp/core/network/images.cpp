#include "images.hpp"

namespace nnr::network {
namespace {

// Calls visit(row of the image, first pixel of the window's row, channel) for what of the window
// lies on the image; `images` begins with the whole of a value like the window's.
template <class Float, class Visit>
void for_each_row(Float* images, std::size_t image, const Window& window, const Visit& visit) {
    const Index height = along(window.sizes, Axis::rows);
    const Index width = along(window.sizes, Axis::columns);
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    for (std::size_t channel = 0; channel < window.channels; ++channel) {
        const auto plane = static_cast<Index>(image * window.channels + channel) * height;
        for (Index y = rows.begin; y < rows.end; ++y)
            visit(images + (plane + y) * width + columns.begin,
                  window.at(y, columns.begin) + channel);
    }
}

}  // namespace

void FloatReader::read(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    for_each_row(images_, image, window, [&](const float* row, float* pixels) {
        for (Index x = 0; x < width; ++x, pixels += window.pixel_stride) *pixels = row[x];
    });
}

void FloatWriter::write(std::size_t image, const Window& window) const {
    const Index width = window.columns_inside().length();
    for_each_row(images_, image, window, [&](float* row, const float* pixels) {
        for (Index x = 0; x < width; ++x, pixels += window.pixel_stride) row[x] = *pixels;
    });
}

template <class Sample>
void PlaneReader<Sample>::read(std::size_t, const Window& window) const {
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    for (Index y = rows.begin; y < rows.end; ++y) {
        const Sample* row = samples_ + std::min(y, height_ - 1) * width_;
        float* pixel = window.at(y, columns.begin);
        for (Index x = columns.begin; x < columns.end; ++x, pixel += window.pixel_stride) {
            pixel[0] = static_cast<float>(row[std::min(x, width_ - 1)]) / peak_;
            for (std::size_t channel = 1; channel < window.channels; ++channel)
                pixel[channel] = side_;
        }
    }
}

template <class Sample>
void PlaneWriter<Sample>::write(std::size_t, const Window& window) const {
    // Between 0 and 2^22, adding 2^23 leaves no fraction bits: the sum itself rounds, halves to
    // even.
    constexpr float kNoFraction = 0x1p23f;
    const Interval rows = inside(window.rows(), height_);
    const Interval columns = inside(window.columns(), width_);
    for (Index y = rows.begin; y < rows.end; ++y) {
        Sample* row = samples_ + y * width_;
        const float* pixel = window.at(y, columns.begin);
        for (Index x = columns.begin; x < columns.end; ++x, pixel += window.pixel_stride) {
            const float level = *pixel * peak_;
            const float clipped = level > 0.0f ? (level < peak_ ? level : peak_) : 0.0f;
            row[x] = static_cast<Sample>((clipped + kNoFraction) - kNoFraction);
        }
    }
}

template class PlaneReader<std::uint8_t>;
template class PlaneReader<std::uint16_t>;
template class PlaneWriter<std::uint8_t>;
template class PlaneWriter<std::uint16_t>;

}  // namespace nnr::network
