#include "fabric/recorder.h"

#include <algorithm>
#include <cstddef>

namespace fabric {

Recorder::Recorder(const Network& network)
    : queues_(network.ports().size()), usage_(network.ports().size()) {}

void Recorder::Entered(uint32_t message, int src, int dst) {
  if (message >= messages_.size()) messages_.resize(message + 1);
  Message& m = messages_[message];
  Count(m);
  m.src = src;
  m.dst = dst;
}

void Recorder::Count(Message& message) {
  for (const Booking& b : message.bookings) {
    usage_[b.port].bytes += b.bytes;
    ++usage_[b.port].passages;
    if (trace_ != nullptr) {
      trace_->Passed(b.port, message.src, message.dst, b.bytes, b.begin, b.end);
    }
  }
  message.bookings.clear();
}

void Recorder::Booked(uint32_t port, uint32_t message, int64_t bytes, Time begin, Time end) {
  messages_[message].bookings.push_back({port, bytes, begin, end});
}

void Recorder::TakenBack(uint32_t port, uint32_t message, int64_t bytes) {
  std::vector<Booking>& bookings = messages_[message].bookings;
  for (size_t i = bookings.size(); i-- > 0 && bytes > 0;) {
    Booking& b = bookings[i];
    if (b.port != port) continue;
    const int64_t lost = std::min(bytes, b.bytes);
    bytes -= lost;
    if (lost == b.bytes) {
      bookings.erase(bookings.begin() + static_cast<ptrdiff_t>(i));
      continue;
    }
    b.end = b.begin + static_cast<Time>(static_cast<__int128>(b.end - b.begin) * (b.bytes - lost) /
                                        b.bytes);
    b.bytes -= lost;
  }
}

void Recorder::SumWaiting(uint32_t port, Time now) {
  Queue& queue = queues_[port];
  usage_[port].waiting += static_cast<double>(queue.bytes) * static_cast<double>(now - queue.since);
  queue.since = now;
}

void Recorder::Waiting(uint32_t port, int64_t change, Time now) {
  SumWaiting(port, now);
  queues_[port].bytes += change;
  usage_[port].most_waiting = std::max(usage_[port].most_waiting, queues_[port].bytes);
}

void Recorder::Worked(int endpoint, int64_t bytes, Time begin, Time end) {
  if (trace_ != nullptr && end > begin) trace_->Worked(endpoint, bytes, begin, end);
}

const std::vector<PortUsage>& Recorder::Usage(Time now) {
  for (Message& message : messages_) Count(message);
  for (uint32_t port = 0; port < queues_.size(); ++port) SumWaiting(port, now);
  return usage_;
}

absl::Status Recorder::Close() {
  if (trace_ == nullptr) return absl::OkStatus();
  for (Message& message : messages_) Count(message);
  absl::Status status = trace_->Close();
  trace_ = nullptr;
  return status;
}

}  // namespace fabric
