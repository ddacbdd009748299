#include "codec/schema_walk.h"

#include <set>
#include <string>

namespace siegel::codec {
namespace {

constexpr std::uint64_t kPersonal = 0xd4f0a1c35b7e9a20;  // the annotation of schemas/personal.capnp

bool is_marked(capnp::List<capnp::schema::Annotation>::Reader annotations) {
  for (const auto annotation : annotations) {
    if (annotation.getId() == kPersonal) return true;
  }
  return false;
}

class Walk {
 public:
  Status visit(capnp::StructSchema schema) {
    if (!seen_.insert(schema.getProto().getId()).second) return Done{};
    if (is_marked(schema.getProto().getAnnotations())) return refused(schema, "");
    for (const auto field : schema.getFields()) {
      const auto name = field.getProto().getName();
      if (is_marked(field.getProto().getAnnotations())) return refused(schema, name.cStr());
      SIEGEL_CHECK(visit(field.getType(), schema, name.cStr()));
    }
    return Done{};
  }

 private:
  Status visit(capnp::Type type, capnp::StructSchema owner, const char* field) {
    while (type.isList()) type = type.asList().getElementType();
    // What could hold anything is as bad as text. Data is let through: ids and hashes are Data, and their lengths are
    // checked where headers are read.
    if (type.isText() || type.isAnyPointer() || type.isInterface()) return refused(owner, field);
    return type.isStruct() ? visit(type.asStruct()) : Status(Done{});
  }

  static Error refused(capnp::StructSchema schema, const char* field) {
    return Error(Errc::corrupt, "schema_personal_in_header",
                 "The header's schema reaches something personal, or text, which could never be removed.")
        .with("struct", schema.getShortDisplayName().cStr())
        .with("field", std::string(field));
  }

  std::set<std::uint64_t> seen_;
};

}  // namespace

Status lint(capnp::StructSchema header) { return Walk().visit(header); }

}  // namespace siegel::codec
