// 784-128-10 with ReLU, softmax and cross-entropy. Everything here is one rank's arithmetic, in an
// order that depends on its share of the batch alone: ranks that are processes and ranks that are
// emulated endpoints get the same bits.
#ifndef EXAMPLES_TRAINER_NETWORK_H_
#define EXAMPLES_TRAINER_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/05_trainer/dataset.h"

namespace trainer {

constexpr int kHidden = 128;

// Parameters, and likewise gradients, lie in one vector, the layer whose gradient is ready first at
// its front; a bucket of the gradient is then a range of it. Row kPixels of layer 1 and row kHidden
// of layer 2 are the biases.
constexpr size_t kLayer2Size = static_cast<size_t>(kHidden + 1) * kClasses;
constexpr size_t kLayer1Size = static_cast<size_t>(kPixels + 1) * kHidden;
constexpr size_t kParameters = kLayer2Size + kLayer1Size;
constexpr size_t Layer1Row(int row) { return kLayer2Size + static_cast<size_t>(row) * kHidden; }

std::vector<float> InitialParameters(uint32_t seed);

// Floating-point operations for one sample, a multiplication and an addition being two.
constexpr double kLayer2Flops = 2.0 * kHidden * kClasses;
constexpr double kForwardFlops = 2.0 * kPixels * kHidden + kLayer2Flops;
constexpr double kBackward2Flops = 2 * kLayer2Flops;  // the weights' gradient and the activations'
constexpr double kBackwardRowFlops = 2.0 * kHidden;   // of one row of layer 1

class Network {
 public:
  // The samples `indices[0..count)`: forward, loss, and the gradient of layer 2. Adds up the losses
  // in `loss`.
  void ForwardBackward2(const std::vector<float>& parameters, const Dataset& data,
                        const int* indices, int count, std::vector<float>& gradient, double& loss);
  // After it: the gradient of the rows [begin, end) of layer 1, of kPixels + 1.
  void Backward1(int begin, int end, std::vector<float>& gradient) const;

  // How many of the samples [begin, end) the network classifies correctly.
  int CountCorrect(const std::vector<float>& parameters, const Dataset& data, int begin, int end);

 private:
  // Hidden activations and, in place of scores, what the caller makes of them.
  void Forward(const std::vector<float>& parameters, const float* image, float* hidden,
               float* scores) const;

  std::vector<const float*> images_;
  std::vector<float> hidden_, hidden_gradient_;  // kHidden a sample
};

}  // namespace trainer

#endif  // EXAMPLES_TRAINER_NETWORK_H_
