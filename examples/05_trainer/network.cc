#include "examples/05_trainer/network.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace trainer {
namespace {

// y += a * x. Contiguous rows of known length: what compilers turn into vector code.
template <int kLength>
void AddScaled(float a, const float* x, float* y) {
  for (int i = 0; i < kLength; ++i) y[i] += a * x[i];
}

}  // namespace

std::vector<float> InitialParameters(uint32_t seed) {
  // Raw words of the generator: distributions differ between standard libraries.
  std::mt19937 random(seed);
  std::vector<float> parameters(kParameters, 0);
  const auto fill = [&](size_t begin, size_t count, int inputs) {
    const double range = std::sqrt(6.0 / inputs);  // He's, uniform
    for (size_t i = begin; i < begin + count; ++i) {
      parameters[i] = static_cast<float>((random() / 4294967296.0 * 2 - 1) * range);
    }
  };
  fill(0, static_cast<size_t>(kHidden) * kClasses, kHidden);
  fill(kLayer2Size, static_cast<size_t>(kPixels) * kHidden, kPixels);
  return parameters;
}

void Network::Forward(const std::vector<float>& parameters, const float* image, float* hidden,
                      float* scores) const {
  std::copy_n(parameters.data() + Layer1Row(kPixels), kHidden, hidden);
  for (int k = 0; k < kPixels; ++k) {
    if (image[k] == 0) continue;  // half of the pixels
    AddScaled<kHidden>(image[k], parameters.data() + Layer1Row(k), hidden);
  }
  for (int j = 0; j < kHidden; ++j) hidden[j] = std::max(hidden[j], 0.0f);
  std::copy_n(parameters.data() + static_cast<size_t>(kHidden) * kClasses, kClasses, scores);
  for (int j = 0; j < kHidden; ++j) {
    AddScaled<kClasses>(hidden[j], parameters.data() + static_cast<size_t>(j) * kClasses, scores);
  }
}

void Network::ForwardBackward2(const std::vector<float>& parameters, const Dataset& data,
                               const int* indices, int count, std::vector<float>& gradient,
                               double& loss) {
  images_.resize(count);
  hidden_.resize(static_cast<size_t>(count) * kHidden);
  hidden_gradient_.resize(hidden_.size());
  std::fill_n(gradient.data(), kLayer2Size, 0.0f);
  for (int s = 0; s < count; ++s) {
    images_[s] = data.image(indices[s]);
    float* hidden = hidden_.data() + static_cast<size_t>(s) * kHidden;
    float* back = hidden_gradient_.data() + static_cast<size_t>(s) * kHidden;
    float scores[kClasses];
    Forward(parameters, images_[s], hidden, scores);

    // Softmax, with the largest score subtracted so that nothing overflows; minus the truth it is
    // the gradient of the scores.
    const int label = data.labels[indices[s]];
    const float largest = *std::max_element(scores, scores + kClasses);
    const float of_label = scores[label] - largest;
    float total = 0;
    for (float& score : scores) total += score = std::exp(score - largest);
    loss += std::log(static_cast<double>(total)) - of_label;
    for (float& score : scores) score /= total;
    scores[label] -= 1;

    for (int j = 0; j < kHidden; ++j) {
      const size_t row = static_cast<size_t>(j) * kClasses;
      AddScaled<kClasses>(hidden[j], scores, gradient.data() + row);
      float sum = 0;
      for (int c = 0; c < kClasses; ++c) sum += scores[c] * parameters[row + c];
      back[j] = hidden[j] > 0 ? sum : 0;
    }
    AddScaled<kClasses>(1, scores, gradient.data() + static_cast<size_t>(kHidden) * kClasses);
  }
}

void Network::Backward1(int begin, int end, std::vector<float>& gradient) const {
  // Rows outside, samples inside: the row being summed and all activations stay in the cache.
  for (int k = begin; k < end; ++k) {
    float* row = gradient.data() + Layer1Row(k);
    std::fill_n(row, kHidden, 0.0f);
    for (size_t s = 0; s < images_.size(); ++s) {
      const float input = k == kPixels ? 1.0f : images_[s][k];
      if (input == 0) continue;
      AddScaled<kHidden>(input, hidden_gradient_.data() + s * kHidden, row);
    }
  }
}

int Network::CountCorrect(const std::vector<float>& parameters, const Dataset& data, int begin,
                          int end) {
  int correct = 0;
  for (int i = begin; i < end; ++i) {
    float hidden[kHidden], scores[kClasses];
    Forward(parameters, data.image(i), hidden, scores);
    correct += std::max_element(scores, scores + kClasses) - scores == data.labels[i];
  }
  return correct;
}

}  // namespace trainer
