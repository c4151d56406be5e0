// Where tiles come from and where they go. Both are called for different tiles at the same time.
#pragma once

#include <cstdint>
#include <span>

#include "tiling.hpp"
#include "window.hpp"

namespace nnr::network {

class ImageReader {
public:
    virtual ~ImageReader() = default;
    // Fills what of the window lies on the image.
    virtual void read(std::size_t image, const Window& window) const = 0;
};

class ImageWriter {
public:
    virtual ~ImageWriter() = default;
    virtual void write(std::size_t image, const Window& window) const = 0;
};

// Images of samples of one type, (image, channel, row, column) in C order.
template <class Sample>
class ArrayReader final : public ImageReader {
public:
    explicit ArrayReader(const Sample* images) : images_(images) {}
    void read(std::size_t image, const Window& window) const override;

private:
    const Sample* images_;
};

template <class Sample>
class ArrayWriter final : public ImageWriter {
public:
    explicit ArrayWriter(Sample* images) : images_(images) {}
    void write(std::size_t image, const Window& window) const override;

private:
    Sample* images_;
};

// Images of float32 for a value of integers: clamp(rint(x / scale), of the type) to the zero point, and
// back; a scale a channel, computed in float64. NaN is unspecified.
class QuantizingReader final : public ImageReader {
public:
    QuantizingReader(const float* images, const double* scales)
        : images_(images), scales_(scales) {}
    void read(std::size_t image, const Window& window) const override;

private:
    const float* images_;
    const double* scales_;
};

class DequantizingWriter final : public ImageWriter {
public:
    DequantizingWriter(float* images, const double* scales) : images_(images), scales_(scales) {}
    void write(std::size_t image, const Window& window) const override;

private:
    float* images_;
    const double* scales_;
};

// A plane of samples, of which one channel of a network sees every `spacing`-th in both directions,
// from (row, column) on: a whole plane with a spacing of 1, one of its four phases with 2.
template <class Sample>
struct PlaneView {
    Sample* samples;
    Size size;
    Index spacing = 1;
    Index row = 0;
    Index column = 0;
};

// Planes of samples 0 to `peak`, read as 0 to 1, beyond their sizes continued by their last rows and
// columns. Channels after theirs hold `side` everywhere. A network of integers gets the samples as
// they are.
template <class Sample>
class PlaneReader final : public ImageReader {
public:
    PlaneReader(std::span<const PlaneView<const Sample>> channels, float peak, float side)
        : channels_(channels), peak_(peak), side_(side) {}
    void read(std::size_t image, const Window& window) const override;

private:
    std::span<const PlaneView<const Sample>> channels_;
    float peak_;
    float side_;
};

// The inverse: clip(rint(x * peak), 0, peak), halves to even, NaN as 0; nothing beyond their sizes. The
// integers of a network of integers are the samples.
template <class Sample>
class PlaneWriter final : public ImageWriter {
public:
    PlaneWriter(std::span<const PlaneView<Sample>> channels, float peak)
        : channels_(channels), peak_(peak) {}
    void write(std::size_t image, const Window& window) const override;

private:
    std::span<const PlaneView<Sample>> channels_;
    float peak_;
};

}  // namespace nnr::network
