#include "examples/05_trainer/dataset.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace trainer {
namespace {

class GzipFile {
 public:
  explicit GzipFile(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) {
      throw std::runtime_error("cannot read " + path +
                               "; install the Debian package dataset-fashion-mnist, or say where "
                               "the files are with --data DIR");
    }
  }

  void Read(void* data, unsigned bytes) {
    if (gzread(file_.get(), data, bytes) != static_cast<int>(bytes)) {
      throw std::runtime_error(path_ + " is damaged or ends early");
    }
  }

  // Numbers in the header of an IDX file are big-endian.
  uint32_t ReadNumber() {
    uint8_t b[4];
    Read(b, sizeof b);
    return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
  }

  void Expect(uint32_t expected, const char* what) {
    if (ReadNumber() != expected) throw std::runtime_error(path_ + ": unexpected " + what);
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

}  // namespace

Dataset LoadDataset(const std::string& directory, const std::string& stem, int limit) {
  constexpr uint32_t kImagesMagic = 0x803, kLabelsMagic = 0x801;
  GzipFile images(directory + "/" + stem + "-images-idx3-ubyte.gz");
  GzipFile labels(directory + "/" + stem + "-labels-idx1-ubyte.gz");
  images.Expect(kImagesMagic, "kind of file");
  labels.Expect(kLabelsMagic, "kind of file");
  const uint32_t stored = images.ReadNumber();
  labels.Expect(stored, "number of labels");
  images.Expect(28, "height");
  images.Expect(28, "width");
  const uint32_t count = limit > 0 ? std::min(stored, static_cast<uint32_t>(limit)) : stored;

  Dataset dataset;
  dataset.labels.resize(count);
  labels.Read(dataset.labels.data(), count);
  if (std::any_of(dataset.labels.begin(), dataset.labels.end(),
                  [](uint8_t label) { return label >= kClasses; })) {
    throw std::runtime_error(directory + "/" + stem + ": a label is out of range");
  }
  dataset.images.reserve(size_t{count} * kPixels);
  uint8_t pixels[kPixels];
  for (uint32_t i = 0; i < count; ++i) {
    images.Read(pixels, sizeof pixels);
    for (uint8_t pixel : pixels) dataset.images.push_back(static_cast<float>(pixel) / 255);
  }
  return dataset;
}

}  // namespace trainer
