// Rank tables: which rank stands on which device of which server.
#ifndef CCL_BINDINGS_HCCL_RANK_TABLE_H_
#define CCL_BINDINGS_HCCL_RANK_TABLE_H_

#include <string>
#include <vector>

namespace ccl::bindings {

struct RankTable {
  struct Rank {
    int device = 0;         // of its server
    std::string server;
    std::string super_pod;  // of its server; empty where the table knows none
  };
  std::string version;  // "1.0" or "1.2"
  std::vector<Rank> ranks;
};

// Reads a table's text; what is wrong with it goes into `error`, which is empty for one that is right.
// Ranks are 0 .. n - 1, those of a server in one piece; the counts that a table states are its own.
RankTable ParseRankTable(const std::string& text, std::string* error);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_HCCL_RANK_TABLE_H_
