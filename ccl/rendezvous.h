#ifndef CCL_RENDEZVOUS_H_
#define CCL_RENDEZVOUS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ccl/communicator.h"

namespace ccl {

// Where the ranks of one process that share a unique id find the world they join one by one.
// Thread-safe.
class Rendezvous {
 public:
  // The world of `id`: the first rank opens it, the others come with the same number of ranks and the
  // same configuration, or InvalidArgument names both ranks and both values. An id whose world has
  // ended is as good as new. Processes that drive one rank each find each other through their
  // transport instead, by the id or by what started them: such a world is opened for each call.
  absl::StatusOr<std::shared_ptr<World>> Meet(absl::string_view id, const Options& options, int ranks,
                                              int rank);
  // Ids that are kept. Those whose world has ended go when another world is opened.
  size_t ids();

 private:
  struct Entry {
    std::weak_ptr<World> world;
    Options options;
    int first = 0;  // the rank that opened it
  };

  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace ccl

#endif  // CCL_RENDEZVOUS_H_
