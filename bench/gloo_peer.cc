// Gloo's collectives, where it is installed (Debian: libgloo-dev). Its headers are seen here alone.
#include "bench/versus.h"

#ifdef CCL_BENCH_GLOO
#include <climits>
#include <exception>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bench/temporary_folder.h"
#include "ccl/base/status.h"
#include "gloo/allgather.h"
#include "gloo/allreduce.h"
#include "gloo/alltoall.h"
#include "gloo/barrier.h"
#include "gloo/broadcast.h"
#include "gloo/config.h"
#include "gloo/math.h"
#include "gloo/rendezvous/context.h"
#include "gloo/rendezvous/file_store.h"
#include "gloo/transport/tcp/device.h"
#endif

namespace ccl {

#ifdef CCL_BENCH_GLOO
namespace {

using GlooContext = std::shared_ptr<gloo::Context>;

absl::Status Call(const GlooContext& context, const mpi::Call& call) {
  float* const in = const_cast<float*>(static_cast<const float*>(call.in));
  float* const out = static_cast<float*>(call.out);
  const size_t n = static_cast<size_t>(context->size);
  switch (call.collective) {
    case Collective::kAllReduce: {
      gloo::AllreduceOptions options(context);
      options.setInput(in, call.count);
      options.setOutput(out, call.count);
      options.setReduceFunction(
          static_cast<void (*)(void*, const void*, const void*, size_t)>(&gloo::sum<float>));
      gloo::allreduce(options);
      return absl::OkStatus();
    }
    case Collective::kAllGather: {
      gloo::AllgatherOptions options(context);
      options.setInput(in, call.count);
      options.setOutput(out, call.count * n);
      gloo::allgather(options);
      return absl::OkStatus();
    }
    case Collective::kAllToAll: {
      gloo::AlltoallOptions options(context);
      options.setInput(in, call.count * n);
      options.setOutput(out, call.count * n);
      gloo::alltoall(options);
      return absl::OkStatus();
    }
    case Collective::kBroadcast: {
      gloo::BroadcastOptions options(context);
      options.setOutput(context->rank == call.root ? in : out, call.count);
      options.setRoot(call.root);
      gloo::broadcast(options);
      return absl::OkStatus();
    }
    case Collective::kBarrier: {
      gloo::BarrierOptions options(context);
      gloo::barrier(options);
      return absl::OkStatus();
    }
    default:
      return absl::UnimplementedError(absl::StrCat("no comparison with Gloo of ", Name(call.collective)));
  }
}

// What Gloo throws, as a status.
template <typename F>
absl::Status Guarded(F f) {
  try {
    return f();
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("Gloo: ", error.what()));
  }
}

// A folder that rank 0 makes and all know.
absl::StatusOr<std::string> MeetingPlace(const mpi::Collectives& mpi) {
  absl::StatusOr<std::string> made = std::string();
  if (mpi.rank() == 0) made = MakeTemporaryFolder("gloo");
  char own[PATH_MAX] = "", all[PATH_MAX] = "";
  static_assert(sizeof own % sizeof(float) == 0);
  if (made.ok()) made->copy(own, sizeof own - 1);
  CCL_RETURN_IF_ERROR(mpi.run({Collective::kBroadcast, sizeof own / sizeof(float), 0, own, all, false}));
  if (mpi.rank() == 0) return made;
  if (all[0] == '\0') return absl::UnavailableError("Gloo: rank 0 can make no folder to meet in");
  return std::string(all);
}

}  // namespace

absl::StatusOr<VersusPeer> GlooPeer(const mpi::Collectives& mpi) {
  auto folder = MeetingPlace(mpi);
  if (!folder.ok()) return folder.status();
  GlooContext context;
  const absl::Status status = Guarded([&] {
    gloo::transport::tcp::attr local;
    local.hostname = "127.0.0.1";
    auto device = gloo::transport::tcp::CreateDevice(local);
    gloo::rendezvous::FileStore store(*folder);
    auto made = std::make_shared<gloo::rendezvous::Context>(mpi.rank(), mpi.ranks());
    made->connectFullMesh(store, device);
    context = made;
    return absl::OkStatus();
  });
  mpi.barrier();
  std::error_code ignored;
  if (mpi.rank() == 0) std::filesystem::remove_all(*folder, ignored);
  if (!status.ok()) return status;
  return VersusPeer{absl::StrCat("Gloo ", GLOO_VERSION_MAJOR, ".", GLOO_VERSION_MINOR, ".", GLOO_VERSION_PATCH), false,
                    [context](const mpi::Call& call) { return Guarded([&] { return Call(context, call); }); }};
}

#else

absl::StatusOr<VersusPeer> GlooPeer(const mpi::Collectives&) {
  return absl::UnimplementedError("versus: this cclbench was built without Gloo (Debian: libgloo-dev)");
}

#endif

}  // namespace ccl
