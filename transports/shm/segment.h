// Memory that processes of a host share.
#ifndef TRANSPORTS_SHM_SEGMENT_H_
#define TRANSPORTS_SHM_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace ccl::shm {

// Has no name, only processes that have it: when the last one ends, however it does, it is gone.
class Segment {
 public:
  // What another process needs to attach.
  struct Name {
    int64_t process = 0;
    int64_t file = -1;
  };

  // Zeros; pages are there when they are first touched, or populated.
  static absl::StatusOr<std::unique_ptr<Segment>> Create(size_t bytes);
  // Of a process of this host, by the same user, that has not closed it yet.
  static absl::StatusOr<std::unique_ptr<Segment>> Attach(const Name& name, size_t bytes);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  // Faults the pages of a range in, for this process, which a first touch would do one by one when
  // messages wait for it. Best effort.
  void Populate(size_t from, size_t bytes);
  // It is another process's arena: in huge pages if there are any, and in no core file of this one.
  void Borrow();
  Name name() const;
  // Everybody has attached who will.
  void Close();

 private:
  Segment(int file, std::byte* data, size_t bytes) : file_(file), data_(data), bytes_(bytes) {}
  static absl::StatusOr<std::unique_ptr<Segment>> Map(int file, size_t bytes);

  int file_;
  std::byte* const data_;
  const size_t bytes_;
};

}  // namespace ccl::shm

#endif  // TRANSPORTS_SHM_SEGMENT_H_
