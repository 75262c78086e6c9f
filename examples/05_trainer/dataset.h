// Fashion-MNIST as Debian packages it: gzip'd IDX files.
#ifndef EXAMPLES_TRAINER_DATASET_H_
#define EXAMPLES_TRAINER_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

namespace trainer {

constexpr int kPixels = 28 * 28;
constexpr int kClasses = 10;

struct Dataset {
  std::vector<float> images;  // kPixels per image, 0..1
  std::vector<uint8_t> labels;

  int size() const { return static_cast<int>(labels.size()); }
  const float* image(int i) const { return images.data() + static_cast<size_t>(i) * kPixels; }
};

// The images of `stem` ("train", "t10k") in `directory`, at most `limit` of them when it is
// positive. Throws std::runtime_error that says what is missing or damaged.
Dataset LoadDataset(const std::string& directory, const std::string& stem, int limit);

}  // namespace trainer

#endif  // EXAMPLES_TRAINER_DATASET_H_
