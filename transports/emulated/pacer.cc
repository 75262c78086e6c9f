#include "transports/emulated/pacer.h"

#include <algorithm>

#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"

namespace ccl {

struct Pacer::Timer {
  boost::asio::io_context context;
  boost::asio::steady_timer timer{context};
};

Pacer::Pacer(double dilation)
    : dilation_(dilation), real_(Clock::now()), timer_(std::make_unique<Timer>()) {}

Pacer::~Pacer() = default;

void Pacer::Posted() { real_ = std::max(real_, Clock::now() - kSlack); }

void Pacer::WaitFor(Time now) {
  const std::chrono::duration<double, std::pico> real(static_cast<double>(now - virtual_) * dilation_);
  real_ += std::chrono::duration_cast<Clock::duration>(real);
  virtual_ = now;
  if (real_ <= Clock::now()) return;
  timer_->timer.expires_at(real_);
  timer_->timer.wait();
}

}  // namespace ccl
