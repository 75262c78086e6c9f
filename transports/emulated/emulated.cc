#include "transports/emulated/emulated.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fabric/radix_sort.h"
#include "transports/emulated/pieces.h"

namespace ccl {
namespace {

bool Sends(OperationKind kind) { return kind == OperationKind::kSend; }

constexpr uint64_t kGroup = uint64_t{1} << 63;  // in an event's user: the number of a group
// Of large worlds every record is a miss of the cache: it is asked for so many turns before.
constexpr size_t kAhead = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> EmulatedBackend::Create(
    const fabric::Description& description, const EmulatedOptions& options) {
  auto simulator = fabric::Simulator::Create(description, options.engine);
  if (!simulator.ok()) return simulator.status();
  std::unique_ptr<EmulatedBackend> backend(
      new EmulatedBackend(*std::move(simulator), TopologyOf(description), options.folds));
  if (options.dilation > 0) backend->pacer_ = std::make_unique<Pacer>(options.dilation);
  if (options.trace.empty()) return backend;
  const fabric::Simulator& s = *backend->simulator_;
  auto file = fabric::TraceFile::Create(options.trace, s.description(), s.network());
  if (!file.ok()) return file.status();
  backend->RecordPorts();
  backend->recorder_->WriteTo(*std::move(file));
  return backend;
}

EmulatedBackend::~EmulatedBackend() {
  if (recorder_ == nullptr) return;
  const absl::Status status = recorder_->Close();
  if (!status.ok()) std::fprintf(stderr, "warning: %s\n", std::string(status.message()).c_str());
}

void EmulatedBackend::RecordPorts() {
  if (recorder_ != nullptr) return;
  recorder_ = std::make_unique<fabric::Recorder>(simulator_->network());
  simulator_->Watch(recorder_.get());
}

std::vector<PortRecord> EmulatedBackend::ports() {
  std::vector<PortRecord> records;
  if (recorder_ == nullptr) return records;
  const fabric::Network& network = simulator_->network();
  const std::vector<fabric::PortUsage>& usage = recorder_->Usage(simulator_->now());
  const double now = static_cast<double>(simulator_->now());
  records.reserve(usage.size());
  for (uint32_t i = 0; i < usage.size(); ++i) {
    const fabric::Port& port = network.ports()[i];
    const fabric::PortUsage& u = usage[i];
    PortRecord record;
    record.name = network.PortName(i);
    record.kind = absl::StrCat(fabric::Name(port.kind), " ",
                               simulator_->description().tiers[port.tier].name);
    record.bandwidth = static_cast<double>(port.rate);
    record.bytes = static_cast<uint64_t>(u.bytes);
    record.passages = static_cast<uint64_t>(u.passages);
    record.most_waiting = static_cast<uint64_t>(u.most_waiting);
    if (now > 0) {
      record.busy = static_cast<double>(u.bytes) * fabric::kSecond / record.bandwidth / now;
      record.mean_waiting = u.waiting / now;
    }
    records.push_back(std::move(record));
  }
  return records;
}

EmulatedBackend::EmulatedBackend(std::unique_ptr<fabric::Simulator> simulator, Topology topology,
                                 bool folds)
    : simulator_(std::move(simulator)),
      topology_(std::move(topology)),
      folds_(folds),
      actors_(topology_.ranks),
      waiting_(topology_.ranks) {
  ranks_.resize(topology_.ranks);
  std::iota(ranks_.begin(), ranks_.end(), 0);
  posted_.assign(topology_.ranks, 0);
}

Abilities EmulatedBackend::abilities() const {
  return {.virtual_time = true,
          .phantom = true,
          .models_compute = true,
          .group_operations = true,
          .contexts = uint32_t{1} << 31,
          .channels = uint32_t{1} << 16};
}

int EmulatedBackend::period() const {
  return folds_ && !recording_ && recorder_ == nullptr ? simulator_->period() : ranks();
}

void EmulatedBackend::Fold(int actors) {
  simulator_->Fold(actors);
  for (int rank = actors_; rank < ranks(); ++rank) posted_[rank] = posted_[Actor(rank)];
  actors_ = actors;
}

uint32_t EmulatedBackend::NewRecord() {
  const uint32_t index = records_.New();
  if (recording_) {
    times_.Reach(index);
    times_[index] = {.posted = simulator_->now()};
  }
  return index;
}

void EmulatedBackend::Fail(absl::Status status) {
  if (error_.ok()) error_ = std::move(status);
}

void EmulatedBackend::Post(int rank, absl::Span<const Operation> operations) {
  if (pacer_ != nullptr) pacer_->Posted();
  for (const Operation& operation : operations) {
    if (operation.kind <= OperationKind::kRecvReduce) {
      PostMessage(rank, operation);
      continue;
    }
    if (operation.kind <= OperationKind::kReconfigure) {
      PostGroup(rank, operation);
      continue;
    }
    const uint32_t index = NewRecord();
    Record& record = records_[index];
    record.kind = operation.kind;
    record.rank = record.peer = rank;
    record.sender_first = record.reducing = false;
    record.token = operation.token;
    record.bytes = operation.bytes;
    const int64_t bytes = static_cast<int64_t>(operation.bytes);
    switch (operation.kind) {
      case OperationKind::kCopy:
        simulator_->Copy(rank, bytes, index);
        break;
      case OperationKind::kReduce:
        simulator_->Reduce(rank, bytes, index);
        break;
      default:
        simulator_->After(operation.delay, index, rank);
    }
  }
}

void EmulatedBackend::PostGroup(int rank, const Operation& operation) {
  if (operation.kind == OperationKind::kReconfigure) return PostReconfigure(rank, operation);
  auto joined = matcher_.Join(rank, operation, simulator_->now());
  if (!joined.ok()) return Fail(joined.status());
  if (*joined == nullptr) return;
  const bool to_all = (*joined)->kind == OperationKind::kGroupReduce && (*joined)->root == -1;
  (*joined)->tier = simulator_->GroupTier((*joined)->ranks, to_all);
  if ((*joined)->tier < 0) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank, ": no switches of fabric ", simulator_->description().name,
        " reduce and replicate", to_all ? ", with a result for everybody," : "", " for all ranks ", (*joined)->ranks.front(), " to ",
        (*joined)->ranks.back(), " of its group operation")));
  }
  MoveGroup(**joined);
  starting_groups_.push_back(*std::move(joined));
}

// All members of the group name one matching, K: the circuits from each to the K-th after it. The
// reconfigurations of a group are one sequence, whatever their matchings.
void EmulatedBackend::PostReconfigure(int rank, const Operation& operation) {
  const fabric::Description& d = simulator_->description();
  const int tier = simulator_->CircuitTier();
  if (tier < 0) {
    return Fail(absl::UnimplementedError(
        absl::StrCat("rank ", rank, ": fabric ", d.name, " has no optical circuits to reconfigure")));
  }
  Operation part = operation;
  part.peer = operation.channel;
  part.channel = 0;
  auto joined = circuit_matcher_.Join(rank, part, simulator_->now());
  if (!joined.ok()) return Fail(joined.status());
  if (*joined == nullptr) return;
  for (int member : (*joined)->ranks) {
    if (d.GroupOf(member, tier) == d.GroupOf((*joined)->ranks.front(), tier)) continue;
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("rank ", rank, ": no circuits of tier ", d.tiers[tier].name, " join ranks ",
                     (*joined)->ranks.front(), " and ", member, " of its reconfiguration")));
  }
  starting_groups_.push_back(*std::move(joined));
}

// Keeps what a side with bytes lends until the other side comes.
void EmulatedBackend::Hold(const Operation& operation, Record& record) {
  record.held = kNone;
  if (operation.src.empty() && operation.dst.empty() && operation.consumer == nullptr) return;
  record.held = held_.New();
  Held& held = held_[record.held];
  held.consumer = operation.consumer;
  held.pieces.assign(operation.src.begin(), operation.src.end());
  for (const Piece& piece : operation.dst) held.pieces.push_back({piece.data, piece.bytes});
}

// Moves the bytes of a transfer whose second side has just been posted.
void EmulatedBackend::Move(Record& waiting, const Operation& arriving, bool arriving_sends) {
  if (waiting.held == kNone && arriving.consumer == nullptr) return;
  const bool holds = waiting.held != kNone;
  absl::Span<const ConstPiece> pieces;
  if (holds) pieces = held_[waiting.held].pieces;
  const absl::Span<const ConstPiece> from = arriving_sends ? arriving.src : pieces;
  Consumer* consumer = !arriving_sends ? arriving.consumer
                       : holds         ? held_[waiting.held].consumer
                                       : nullptr;
  if (consumer != nullptr) {
    consumer->Consume(arriving_sends ? waiting.token : arriving.token, 0, {&from, 1});
  } else if (!arriving_sends) {
    CopyPieces(from, arriving.dst);
  } else {
    std::vector<Piece> to;
    for (const ConstPiece& piece : pieces) {
      to.push_back({const_cast<void*>(piece.data), piece.bytes});
    }
    CopyPieces(from, to);
  }
  if (holds) held_.Free(waiting.held);
  waiting.held = kNone;
}

void EmulatedBackend::PostMessage(int rank, const Operation& operation) {
  const bool sends = Sends(operation.kind);
  // By the rank that stands for the sender and the distance to the receiver: equal for all pairs
  // that are shifts of each other.
  const int src = sends ? rank : operation.peer, dst = sends ? operation.peer : rank;
  const Matcher::Key key{operation.context, Actor(src), dst < src ? dst - src + ranks() : dst - src,
                         operation.channel};
  const uint64_t order = sends ? posted_[rank]++ : 0;
  const uint32_t place = waiting_.Find(key);
  Matcher::Waiting& queue = waiting_.at(place);
  if (queue.head == kNone || Sends(records_[queue.head].kind) == sends) {
    const uint32_t index = NewRecord();
    Record& record = records_[index];
    record.kind = operation.kind;
    record.rank = rank;
    record.peer = operation.peer;
    record.bytes = operation.bytes;
    record.token = operation.token;
    record.order = order;
    record.next = kNone;
    Hold(operation, record);
    if (queue.head == kNone) {
      queue.head = index;
    } else {
      records_[queue.tail].next = index;
    }
    queue.tail = index;
    return;
  }
  const uint32_t index = queue.head;
  Record& record = records_[index];
  queue.head = record.next;
  if (queue.head == kNone) waiting_.Erase(place);
  if (record.bytes != operation.bytes) {
    const uint64_t sent = sends ? operation.bytes : record.bytes;
    const uint64_t wanted = sends ? record.bytes : operation.bytes;
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("rank ", src, " sends ", sent, " bytes to rank ", dst, ", which expects ",
                     wanted, " (channel ", key.channel, ")")));
  }
  Move(record, operation, sends);
  const bool reduces = (sends ? record.kind : operation.kind) == OperationKind::kRecvReduce;
  if (sends) {
    record.recv_token = record.token;
    record.token = operation.token;
    record.order = order;
    record.rank = rank;
    record.peer = operation.peer;
  } else {
    record.recv_token = operation.token;
  }
  record.kind = reduces ? OperationKind::kRecvReduce : OperationKind::kRecv;
  record.reducing = false;
  record.sender_first = !sends;
  if (recording_) TimesOf(index).matched = simulator_->now();
  starting_.push_back({record.rank, index, record.order});
}

void EmulatedBackend::Keep(uint32_t index, Time done, bool local) {
  const Record& record = records_[index];
  const Times& times = TimesOf(index);
  if (times.posted < 0) return;
  FlowRecord flow;
  flow.src = record.rank;
  flow.dst = local ? record.rank : record.peer;
  flow.local = local;
  flow.bytes = record.bytes;
  flow.send_posted = record.sender_first ? times.posted : times.matched;
  flow.recv_posted = record.sender_first ? times.matched : times.posted;
  if (local) flow.send_posted = flow.recv_posted = times.posted;
  flow.sent = local ? done : times.sent;
  flow.delivered = local ? done : times.delivered;
  flow.done = done;
  if (!local) {
    const fabric::Simulator::Lone alone =
        simulator_->Alone(flow.src, flow.dst, static_cast<int64_t>(record.bytes));
    flow.latency = alone.latency;
    flow.serialisation = alone.bytes;
  }
  flows_.push_back(flow);
}

// What has been matched at this instant enters the fabric.
void EmulatedBackend::Start() {
  // By the order of the sender first: what different senders send at once will be served at once,
  // and lies together.
  const auto key = [](const Starting& starting) {
    return starting.order << 20 | static_cast<uint32_t>(starting.rank);
  };
  const auto before = [&](const Starting& a, const Starting& b) { return key(a) < key(b); };
  // Ranks that go in step have posted in order.
  if (!std::is_sorted(starting_.begin(), starting_.end(), before)) {
    fabric::RadixSort(starting_, sorting_, key);
  }
  for (size_t i = 0; i < starting_.size(); ++i) {
    if (i + kAhead < starting_.size()) __builtin_prefetch(&records_[starting_[i + kAhead].record]);
    const Starting& starting = starting_[i];
    const Record& record = records_[starting.record];
    simulator_->Send(record.rank, record.peer, static_cast<int64_t>(record.bytes),
                     starting.record, static_cast<uint32_t>(starting.order));
  }
  starting_.clear();
  std::sort(starting_groups_.begin(), starting_groups_.end(),
            [](const auto& a, const auto& b) { return a->order < b->order; });
  for (std::unique_ptr<GroupOperation>& group : starting_groups_) {
    if (free_groups_.empty()) {
      free_groups_.push_back(static_cast<uint32_t>(groups_.size()));
      groups_.emplace_back();
    }
    const uint32_t number = free_groups_.back();
    free_groups_.pop_back();
    if (group->kind == OperationKind::kReconfigure) {
      simulator_->Reconfigure(group->circuits(), kGroup | number);
    } else {
      simulator_->Group(group->tier, group->sources(), group->targets(),
                        static_cast<int64_t>(group->bytes), kGroup | number);
    }
    groups_[number] = std::move(group);
  }
  starting_groups_.clear();
}

void EmulatedBackend::HandleGroup(const fabric::Event& event, std::vector<Completion>& done) {
  const uint32_t number = static_cast<uint32_t>(event.user & ~kGroup);
  GroupOperation& group = *groups_[number];
  if (event.kind == fabric::EventKind::kTimer) {  // the circuits are there, for all members
    for (int rank : group.ranks) {
      const GroupMember& member = group.member(rank);
      done.push_back({rank, member.token});
      if (!recording_) continue;
      const Time begun = group.member(group.last).posted_at;
      flows_.push_back({.src = rank, .dst = rank, .local = true, .send_posted = begun,
                        .recv_posted = begun, .sent = event.time, .delivered = event.time,
                        .done = event.time});
    }
    groups_[number] = nullptr;
    free_groups_.push_back(number);
    return;
  }
  const bool sent = event.kind == fabric::EventKind::kSent;
  const int rank = sent ? event.src : event.dst;
  GroupMember& member = group.member(rank);
  if (sent) {
    member.sent_at = event.time;
    const bool takes = group.kind == OperationKind::kGroupReduce &&
                       (group.root == -1 || group.root == rank);
    if (takes) return;  // and waits for the result
  }
  member.done = true;
  done.push_back({rank, member.token});
  if (recording_) {
    // The result comes from whoever joined last: nothing moves before that.
    const int from = sent ? rank : group.last;
    FlowRecord flow;
    flow.src = from;
    flow.dst = rank;
    flow.local = sent;
    flow.bytes = group.bytes;
    flow.send_posted = group.member(group.last).posted_at;
    flow.recv_posted = sent ? flow.send_posted : member.posted_at;
    flow.sent = sent ? event.time : group.member(from).sent_at;
    flow.delivered = flow.done = event.time;
    const fabric::Description& d = simulator_->description();
    flow.latency = d.send_overhead + d.recv_overhead + d.tiers[group.tier].group_overhead +
                   d.PathLatency(group.ranks.front(), group.ranks.back());
    flow.serialisation = std::max<Time>(0, flow.done - flow.start() - flow.latency);
    flows_.push_back(flow);
  }
  if (--group.left > 0) return;
  groups_[number] = nullptr;
  free_groups_.push_back(number);
}

std::vector<Wait> EmulatedBackend::Unmatched() const {
  std::vector<Wait> waits;
  waiting_.ForEach([&](const Matcher::Waiting& queue) {
    const Record& record = records_[queue.head];
    waits.push_back({record.rank, record.peer, Sends(record.kind)});
  });
  std::sort(waits.begin(), waits.end(), [](const Wait& a, const Wait& b) {
    return std::make_tuple(a.rank, a.sends, a.peer) < std::make_tuple(b.rank, b.sends, b.peer);
  });
  return waits;
}

absl::Status EmulatedBackend::Poll(Waiting waiting, std::vector<Completion>& done) {
  if (!error_.ok()) return error_;
  Start();
  if (waiting == Waiting::kNo) return absl::OkStatus();
  const size_t before = done.size();
  while (done.size() == before) {
    events_.clear();
    const bool moved = simulator_->Advance(events_);
    if (simulator_->out_of_time()) {
      Fail(absl::OutOfRangeError(absl::StrCat(
          "an operation on fabric ", simulator_->description().name, " would last beyond ",
          fabric::kLongest / fabric::kSecond,
          " s of virtual time: its bytes are too many for its rates")));
      return error_;
    }
    if (!moved) {
      const std::string stalled = simulator_->Stalled();
      if (stalled.empty()) break;
      return absl::UnavailableError(absl::StrCat(
          "on fabric ", simulator_->description().name, " at ", fabric::TimeText(simulator_->now()),
          " nothing that is under way can end: ", stalled));
    }
    if (pacer_ != nullptr) pacer_->WaitFor(simulator_->now());
    for (size_t i = 0; i < events_.size(); ++i) {
      const fabric::Event& event = events_[i];
      if (i + kAhead < events_.size() && (events_[i + kAhead].user & kGroup) == 0) {
        __builtin_prefetch(&records_[static_cast<uint32_t>(events_[i + kAhead].user)]);
      }
      const auto mix = [&](uint64_t v) { digest_ = (digest_ ^ v) * 1099511628211u; };
      mix(static_cast<uint64_t>(event.time));
      if ((event.user & kGroup) != 0) {
        mix(static_cast<uint64_t>(event.kind) << 56 ^ static_cast<uint64_t>(event.src) << 28 ^
            static_cast<uint64_t>(event.dst));
        mix(static_cast<uint64_t>(event.bytes));
        HandleGroup(event, done);
        continue;
      }
      const uint32_t index = static_cast<uint32_t>(event.user);
      Record& record = records_[index];
      mix(static_cast<uint64_t>(event.kind) << 56 ^ static_cast<uint64_t>(record.rank) << 28 ^
          static_cast<uint64_t>(record.peer));
      mix(record.bytes);
      if (event.kind == fabric::EventKind::kSent) {
        if (recording_) TimesOf(index).sent = event.time;
        done.push_back({record.rank, record.token});
        continue;
      }
      if (event.kind == fabric::EventKind::kDelivered) {
        if (recording_) TimesOf(index).delivered = event.time;
        if (record.kind == OperationKind::kRecvReduce && topology_.reduce_bandwidth > 0) {
          record.reducing = true;
          simulator_->Reduce(Actor(record.peer), static_cast<int64_t>(record.bytes), index);
          continue;
        }
        done.push_back({Actor(record.peer), record.recv_token});
        if (recording_) Keep(index, event.time, false);
      } else if (record.kind == OperationKind::kRecvReduce) {
        done.push_back({Actor(record.peer), record.recv_token});
        if (recording_) Keep(index, event.time, false);
      } else {
        done.push_back({record.rank, record.token});
        if (recording_) Keep(index, event.time, true);
      }
      records_.Free(index);
    }
  }
  return error_;
}

}  // namespace ccl
