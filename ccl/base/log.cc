#include "ccl/base/log.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace ccl {
namespace {

constexpr const char* kLevels[] = {"NONE", "VERSION", "WARN", "INFO", "TRACE"};
constexpr const char* kParts[] = {"INIT", "COLL", "P2P", "NET", "GRAPH", "TUNING", "ENV", "ALLOC", "DESTROY"};
constexpr uint32_t kAll = (1u << std::size(kParts)) - 1;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Settings {
  LogLevel level = LogLevel::kNone;
  uint32_t parts = 0;
  std::FILE* file = stderr;
  std::string host;

  Settings() {
    const std::string wanted = absl::AsciiStrToUpper(Variable("CCL_DEBUG"));
    for (size_t i = 0; i < std::size(kLevels); ++i) {
      if (wanted == kLevels[i]) level = static_cast<LogLevel>(i);
    }
    parts = SelectLogParts(Variable("CCL_DEBUG_SUBSYS"));
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    host = name;
    const std::string path = Variable("CCL_DEBUG_FILE");
    if (path.empty() || level == LogLevel::kNone) return;
    std::FILE* opened = std::fopen(LogFileName(path, host, getpid()).c_str(), "a");
    if (opened != nullptr) file = opened;
  }
};

// Leaked: lines may come as long as the process lives.
Settings& TheSettings() {
  static Settings* const settings = new Settings;
  return *settings;
}

}  // namespace

uint32_t SelectLogParts(absl::string_view text) {
  if (text.empty()) text = "INIT,ENV";
  const bool excludes = text[0] == '^';
  if (excludes) text.remove_prefix(1);
  uint32_t parts = 0;
  for (absl::string_view word : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::string name = absl::AsciiStrToUpper(absl::StripAsciiWhitespace(word));
    if (name == "ALL") parts = kAll;
    for (size_t i = 0; i < std::size(kParts); ++i) {
      if (name == kParts[i]) parts |= 1u << i;
    }
  }
  return excludes ? kAll & ~parts : parts;
}

std::string LogFileName(absl::string_view pattern, absl::string_view host, int process) {
  return absl::StrReplaceAll(pattern, {{"%h", host}, {"%p", absl::StrCat(process)}});
}

// Wherever it stands: a URL that is no good is written down as well.
std::string WithoutSecret(absl::string_view url) {
  const std::string name = "secret=";
  std::string shown(url);
  for (size_t at = shown.find(name); at != std::string::npos; at = shown.find(name, at)) {
    at += name.size();
    shown.replace(at, std::min(shown.find('&', at), shown.size()) - at, "(not shown)");
  }
  return shown;
}

bool Logs(LogLevel level, LogPart part) {
  const Settings& settings = TheSettings();
  if (level > settings.level) return false;
  return level <= LogLevel::kWarn || (settings.parts >> static_cast<int>(part) & 1) != 0;
}

void Log(LogLevel level, LogPart part, absl::string_view text) {
  if (!Logs(level, part)) return;
  const Settings& settings = TheSettings();
  const std::string line = absl::StrCat(
      settings.host, ":", getpid(), ":", static_cast<int64_t>(syscall(SYS_gettid)), " CCL ",
      kLevels[static_cast<size_t>(level)], " ", text, "\n");
  std::fwrite(line.data(), 1, line.size(), settings.file);
  std::fflush(settings.file);
}

}  // namespace ccl
