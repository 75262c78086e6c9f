#include "transports/shm/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace ccl::shm {
namespace {

absl::Status Error(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("shared memory: ", what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Segment>> Segment::Map(int file, size_t bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
  if (data == MAP_FAILED) {
    absl::Status error = Error(absl::StrCat("mapping ", bytes, " bytes"));
    close(file);
    return error;
  }
  return std::unique_ptr<Segment>(new Segment(file, static_cast<std::byte*>(data), bytes));
}

absl::StatusOr<std::unique_ptr<Segment>> Segment::Create(size_t bytes) {
  const int file = memfd_create("ccl", MFD_CLOEXEC);
  if (file < 0) return Error("memfd_create");
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    absl::Status error = Error(absl::StrCat("a segment of ", bytes, " bytes"));
    close(file);
    return error;
  }
  return Map(file, bytes);
}

absl::StatusOr<std::unique_ptr<Segment>> Segment::Attach(const Name& name, size_t bytes) {
  const std::string path = absl::StrCat("/proc/", name.process, "/fd/", name.file);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return Error(absl::StrCat("opening ", path));
  struct stat found;
  if (fstat(file, &found) != 0 || static_cast<size_t>(found.st_size) != bytes) {
    close(file);
    return absl::UnavailableError(
        absl::StrCat("shared memory: ", path, " is not the segment of ", bytes, " bytes that it should be"));
  }
  return Map(file, bytes);
}

void Segment::Populate(size_t from, size_t bytes) {
  constexpr size_t kPage = 4096;
  const size_t begin = from / kPage * kPage, end = std::min(bytes_, from + bytes);
  if (begin >= end) return;
#ifdef MADV_POPULATE_WRITE
  madvise(data_ + begin, end - begin, MADV_POPULATE_WRITE);  // a hint: all at once is faster
#endif
  // Under some hypervisors a page is there when it has been touched, not before. Others may be writing
  // already: a byte is replaced by itself.
  for (size_t at = begin; at < end; at += kPage) {
    reinterpret_cast<std::atomic<unsigned char>*>(data_ + at)->fetch_add(0, std::memory_order_relaxed);
  }
}

void Segment::Borrow() {
  madvise(data_, bytes_, MADV_HUGEPAGE);
  madvise(data_, bytes_, MADV_DONTDUMP);
}

Segment::Name Segment::name() const { return {getpid(), file_}; }

void Segment::Close() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

Segment::~Segment() {
  Close();
  munmap(data_, bytes_);
}

}  // namespace ccl::shm
