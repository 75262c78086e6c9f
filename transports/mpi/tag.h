// How (context, channel) becomes an MPI tag.
#ifndef TRANSPORTS_MPI_TAG_H_
#define TRANSPORTS_MPI_TAG_H_

#include <cstdint>

namespace ccl::mpi {

// The tag is context * channels() + channel, one tag per pair, below MPI_TAG_UB. Of the bits the
// bound leaves, two fifths are the channel's: with Open MPI's 31 bits 4096 channels and 524288
// contexts, with the standard's least of 15 bits 64 channels and 512 contexts.
class TagScheme {
 public:
  explicit TagScheme(int upper_bound) : upper_bound_(upper_bound) {
    int bits = 0;
    while ((int64_t{2} << bits) - 1 <= upper_bound) ++bits;
    channel_bits_ = bits * 2 / 5;
    context_bits_ = bits - channel_bits_;
  }

  int upper_bound() const { return upper_bound_; }
  uint32_t channels() const { return uint32_t{1} << channel_bits_; }
  uint32_t contexts() const { return uint32_t{1} << context_bits_; }

  bool Holds(uint32_t context, uint16_t channel) const {
    return context < contexts() && channel < channels();
  }
  // Of a pair that it holds.
  int Tag(uint32_t context, uint16_t channel) const {
    return static_cast<int>(context << channel_bits_ | channel);
  }

 private:
  int upper_bound_;
  int channel_bits_;
  int context_bits_;
};

}  // namespace ccl::mpi

#endif  // TRANSPORTS_MPI_TAG_H_
