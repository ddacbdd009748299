@0xc1f5e0a97d2b4e63;
# The header: what a leaf of the tree hashes. One canonical segment, without framing; at most 65,535 bytes.
# Nothing personal, no free text, no reference to a person, record or stream. It can never be removed.
# Fields are only ever added at the end; readers refuse a `format` that they do not know.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("siegel::schema");

struct Header {
  format @0 :UInt16;        # 1
  type @1 :UInt16;          # EventType: family in the high byte
  schema @2 :UInt16;        # version of the schema of the parts' bodies
  partCount @3 :UInt16;
  seq @4 :UInt64;           # position in the ledger, from 0
  time @5 :UInt64;          # milliseconds since 1970 UTC, never decreasing: the operator's claim
  keysMark @6 :UInt64;      # newest key batch that this event relies on
  purpose @7 :UInt32;       # registry number, 0: none
  recordType @8 :UInt32;    # registry number, 0: none
  legalGround @9 :UInt8;
  source @10 :UInt8;        # door through which the command came
  id @11 :Data;             # 16 random bytes; part keys derive from it
  partsDigest @12 :Data;    # RFC 6962 tree hash over the part hashes, 32 bytes
  job @13 :Data;            # import or job, 16 bytes, or empty

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
    erasureRequested :group {
      ground @21 :UInt16;
      deadline @22 :UInt64;
      leaves @23 :UInt32;
      classes @24 :List(UInt32);
    }
    erasureEffective :group {
      oldEpoch @25 :UInt64;
      newEpoch @26 :UInt64;
      oldRoot @27 :Data;
      newRoot @28 :Data;
      leaves @29 :UInt64;
      grade @30 :UInt16;
      members @31 :UInt16;
      replicas @32 :UInt16;
      requests @33 :List(UInt64);
    }
    erasureCompleted :group {
      request @34 :UInt64;
    }
    job :group {
      kind @35 :UInt16;
      count @36 :UInt64;
    }
    clock :group {
      skew @37 :Int64;
    }
  }
}
