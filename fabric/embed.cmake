# cmake -D OUT=presets_data.cc -D FILES=a.toml,b.toml -P embed.cmake
# Writes the files as one table of strings, sorted by name.
string(REPLACE "," ";" files "${FILES}")
list(SORT files)
set(text "// Made from fabric/presets/*.toml by fabric/embed.cmake.\n#include \"fabric/presets.h\"\n\n")
string(APPEND text "namespace fabric {\n\nabsl::Span<const PresetFile> Presets() {\n")
string(APPEND text "  static constexpr PresetFile kPresets[] = {\n")
foreach(file ${files})
  get_filename_component(name "${file}" NAME_WLE)
  file(READ "${file}" content)
  string(APPEND text "      {\"${name}\", R\"~~~(${content})~~~\"},\n")
endforeach()
string(APPEND text "  };\n  return kPresets;\n}\n\n}  // namespace fabric\n")
file(WRITE "${OUT}" "${text}")
