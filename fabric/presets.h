// The systems that come with the library: fabric/presets/*.toml, embedded when it is built.
#ifndef FABRIC_PRESETS_H_
#define FABRIC_PRESETS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fabric {

struct PresetFile {
  absl::string_view name;  // of the file, without .toml
  absl::string_view text;
};

// By name. Lives as long as the program.
absl::Span<const PresetFile> Presets();

}  // namespace fabric

#endif  // FABRIC_PRESETS_H_
