@0xb6cbf2a1d0a4c7e1;
# Marks what concerns a person. A header that reaches a marked field does not load (codec/schema_lint.h).
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("siegel::schema");

annotation personal @0xd4f0a1c35b7e9a20 (field, struct) :Void;
