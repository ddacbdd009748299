@0xc1f5e0a97d2b4e63;
# The header: what a leaf of the tree hashes. One canonical segment, without framing; at most 65,535 bytes.
# Nothing personal, no free text, no reference to a person, record or stream. It can never be removed.
# Fields are only ever added at the end; readers refuse a `format` that they do not know. Bytes: docs/formats/header.md.
#
# The order is chosen for the canonical form, which drops zero words at the end of the data section: `schema` is never
# zero and stands behind `seq`, `time` and `keysMark`, so these three have fixed places in every header, whatever their
# values. The writer patches them there (codec/header_codec.h).
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("siegel::schema");

struct Header {
  format @0 :UInt16;        # 1
  legalGround @1 :UInt8;
  source @2 :UInt8;         # door through which the command came
  purpose @3 :UInt32;       # registry number, 0: none
  seq @4 :UInt64;           # position in the ledger, from 0
  time @5 :UInt64;          # milliseconds since 1970 UTC, never decreasing: the operator's claim
  keysMark @6 :UInt64;      # newest key batch that this event relies on
  type @7 :UInt16;          # EventType: family in the high byte
  schema @8 :UInt16;        # version of the schema of the parts' bodies, from 1: never zero
  partCount @9 :UInt16;
  recordType @10 :UInt32;   # registry number, 0: none
  id @11 :Data;             # 16 random bytes; part keys derive from it
  partsDigest @12 :Data;    # RFC 6962 tree hash over the part hashes, 32 bytes
  job @13 :Data;            # import or job, 16 bytes, or null

  facts :union {
    none @14 :Void;
    registry :group {
      number @15 :UInt32;
      version @16 :UInt32;
    }
    access :group {
      kind @17 :UInt8;
      fields @18 :List(UInt16);
    }
    refusal :group {
      code @19 :UInt16;
      requested @20 :UInt16;
    }
    job :group {
      kind @21 :UInt16;
      count @22 :UInt64;
    }
    clock :group {
      skew @23 :Int64;
    }
    erasureRequested :group {
      ground @24 :UInt16;
      deadline @25 :UInt64;
      leaves @26 :UInt32;
      classes @27 :List(UInt32);
    }
    erasureEffective :group {
      oldEpoch @28 :UInt64;
      newEpoch @29 :UInt64;
      oldRoot @30 :Data;    # 32 bytes
      newRoot @31 :Data;    # 32 bytes
      leaves @32 :UInt64;
      grade @33 :UInt16;
      members @34 :UInt16;
      replicas @35 :UInt16;
      requests @36 :List(UInt64);
    }
    erasureCompleted :group {
      request @37 :UInt64;
    }
    import :group {
      rows @38 :UInt32;
      added @39 :UInt32;
      changed @40 :UInt32;
      unchanged @41 :UInt32;
      failed @42 :UInt32;
    }
  }
}
