#include "ccl/bindings/runtime/device.h"

#include <cstdlib>

namespace ccl::bindings {
namespace {

thread_local int current = 0;

int Read(const char* variable) {
  const char* text = std::getenv(variable);
  const long value = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return value >= 1 && value <= 1 << 20 ? static_cast<int>(value) : 0;
}

}  // namespace

int DeviceCount() {
  if (const int stated = Read("CCL_DEVICES"); stated > 0) return stated;
  if (const int local = Read("OMPI_COMM_WORLD_LOCAL_SIZE"); local > 0) return local;
  return 8;
}

int CurrentDevice() { return current; }

bool SetDevice(int device) {
  if (device < 0 || device >= DeviceCount()) return false;
  current = device;
  return true;
}

}  // namespace ccl::bindings
