// The network of a description by tiers: ports by arithmetic, no table grows with the square of the
// endpoints but the links of a mesh.
#ifndef FABRIC_TIERS_H_
#define FABRIC_TIERS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fabric/description.h"
#include "fabric/network.h"

namespace fabric {

class TieredNetwork final : public Network {
 public:
  static absl::StatusOr<std::unique_ptr<Network>> Create(const Description& description);

  void Route(int src, int dst, Path& path) override;
  void Climb(int src, int tier, Path& path) override;
  void Descend(int tier, int dst, Path& path) override;
  absl::Status Find(const TimelineEvent& event, std::vector<Lane>& lanes) const override;
  std::string PortName(uint32_t port) const override;
  int PortEndpoint(uint32_t port) const override;

 private:
  static constexpr uint32_t kNone = ~0u;

  struct TierPorts {
    int entry = 0;               // index of the tier whose endpoint ports lead here
    uint32_t send = kNone, receive = kNone;  // first of the endpoints' own ports
    uint32_t up = kNone, down = kNone;       // first of the groups' uplinks; kNone: not visited
    uint32_t links = kNone;      // of a mesh or torus
    int pipes = 1;               // uplinks a group that are told apart
    uint32_t route = 0, climb = 0, descend = 0;  // profiles; of a torus the first of many
  };

  explicit TieredNetwork(const Description& description)
      : Network(description.endpoints), d_(description) {}
  absl::Status Build();
  int Period() const;
  uint32_t AddPorts(size_t count, double rate, PortKind kind, int tier);
  absl::Status AddUplinks(int tier, double& input);
  absl::Status AddProfiles(int tier);
  absl::Status TooLarge(int tier, absl::string_view what) const;
  int Pick(int tier, int src, int dst, int& choice) const;
  uint32_t AddRoute(std::vector<Time> latencies);
  void RouteTiers(int src, int dst, Path& path) const;
  int Avoid(int tier, int src, int dst, int choice) const;
  absl::Status FindEndpoint(int endpoint, int tier, std::vector<Lane>& lanes) const;
  absl::Status FindUplinks(const TimelineEvent& event, int tier, std::vector<Lane>& lanes) const;
  absl::Status FindLink(const TimelineEvent& event, int tier, std::vector<Lane>& lanes) const;
  void RouteTorus(int tier, int src, int dst, Path& path) const;

  const Description d_;
  std::vector<TierPorts> tiers_;
  uint32_t loads_ = kNone, stores_ = kNone;  // first ports of the endpoints' memories
};

}  // namespace fabric

#endif  // FABRIC_TIERS_H_
