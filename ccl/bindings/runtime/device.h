// Devices of a host: numbers that threads, streams and communicators stand on. All memory is the host's.
#ifndef CCL_BINDINGS_RUNTIME_DEVICE_H_
#define CCL_BINDINGS_RUNTIME_DEVICE_H_

namespace ccl::bindings {

// CCL_DEVICES of the environment; else, under mpirun, the ranks of this host; else 8.
int DeviceCount();

// The device of this thread, at first 0.
int CurrentDevice();
// False, and nothing changes, for one that is not there.
bool SetDevice(int device);

}  // namespace ccl::bindings

#endif  // CCL_BINDINGS_RUNTIME_DEVICE_H_
