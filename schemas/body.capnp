@0x9e4d1b7a63c805f2;
# What is sealed in the parts: one union per family. Fields are only ever added; a changed meaning is a new version of the
# family's schema (Header.schema) with an upcaster. What the writer gives (sequence, version, owner, running number,
# registry numbers) is never in here: the part hash binds it. An empty text or list is a null pointer.
using Cxx = import "/capnp/c++.capnp";
using P = import "personal.capnp";
$Cxx.namespace("siegel::schema");

struct Actor $P.personal {           # part 0 of every event
  timeMicros @0 :UInt64;             # when the command came in, to the microsecond
  session @1 :Data;                  # 16 bytes or null
  requestId @2 :Text;
}

struct FieldValue $P.personal {
  field @0 :UInt16;
  union {
    null @1 :Void;
    text @2 :Text;
    list @3 :List(Text);
  }
}

struct RecordEvent $P.personal {
  record @0 :Data;                   # 16 bytes; the stream
  values @1 :List(FieldValue);       # those of this class that were set or changed, ascending by field
  reason @2 :Text;
  union {
    added @3 :Void;
    changed @4 :Void;
    removed @5 :Void;
  }
  reasonShare @6 :Data;              # in place of the reason where the event has parts of several classes (parts.md)
  row @7 :UInt32;                    # of the file that an import brought; 0: none
}

struct RecordValues $P.personal {    # sealed columns of read models
  values @0 :List(FieldValue);       # of one class, ascending by field
}

struct SubjectEvent $P.personal {
  union {
    registered @0 :Void;
    linked :group {
      system @1 :Text;
      externalId @2 :Text;
    }
    merged :group {
      into @3 :Data;                 # 16 bytes: whose id all of them go by from then on
    }
  }
}

struct Title {
  language @0 :Text;
  text @1 :Text;
}

struct FieldDefinition {
  number @0 :UInt16;                 # given by the author's side from the version before; checked by the fold
  name @1 :Text;
  title @2 :Text;
  type @3 :UInt8;
  personal @4 :Bool;
  required @5 :Bool;
  searchable @6 :Bool;
  class @7 :Text;
  choices @8 :List(Text);
  help @9 :Text;
  section @10 :Text;                 # of the form: a heading above this field's row
}

struct RegistryEvent {
  union {
    purpose :group {
      name @0 :Text;
      legalGround @1 :UInt8;
      title @2 :List(Title);
      fieldsLimited @3 :Bool;
      fields @4 :List(TypeFields);
    }
    class :group {
      name @5 :Text;
      period @6 :Text;
      start @7 :UInt8;
      endOfCalendarYear @8 :Bool;
      legalGround @9 :UInt8;
      note @10 :Text;
    }
    type :group {
      name @11 :Text;
      title @12 :List(Title);
      subjectMode @13 :UInt8;
      matchFields @14 :List(Text);
      defaultPurpose @15 :Text;
      fields @16 :List(FieldDefinition);
      form @17 :List(List(Text));
      retired @18 :List(FieldDefinition);
    }
    tokenCreated :group {
      id @19 :Data;
      hash @20 :Data;                # SHA-256 of the token's text (256 random bits)
      role @21 :UInt8;
      allPurposes @22 :Bool;
      purposes @23 :List(Text);
      allTypes @24 :Bool;
      types @25 :List(Text);
      label @26 :Text;
      subject @27 :Data;             # 16 bytes or null
      expiry :union {                # no number stands for "never": a time of 0 is a time
        never @28 :Void;
        at @29 :UInt64;              # milliseconds since 1970 UTC
      }
      bulk :union {
        never @30 :Void;
        until @31 :UInt64;           # milliseconds since 1970 UTC
      }
    }
    tokenRevoked :group {
      id @32 :Data;
    }
  }

  struct TypeFields {
    type @0 :Text;
    fields @1 :List(Text);
  }
}

struct ErasureNotice $P.personal {   # sealed under (subject, class erasure-notice); dies when all have acknowledged
  erasure @0 :Data;                  # 16 bytes
  records @1 :List(Data);
  external @2 :List(ExternalReference);
  classes @3 :List(UInt32);
  slots @4 :List(UInt64);            # the leaves that were fenced

  struct ExternalReference {
    system @0 :Text;
    externalId @1 :Text;
  }
}

struct ExportEvent $P.personal {     # the subject's part of the access event of an export (keys.md 3); other looks leave a trace
  leaves @0 :List(Leaf);             # all under which he has parts, before this event; ascending by slot

  struct Leaf {
    slot @0 :UInt64;
    count @1 :UInt64;                # parts: their running numbers are 0 to count - 1
    class @2 :UInt32;
  }
}

struct LedgerEvent {                 # ledger.created, ledger.configured
  origin @0 :Text;
  version @1 :Text;
  settings @2 :List(Setting);

  struct Setting {
    name @0 :Text;
    value @1 :Text;
  }
}

struct IdempotencyEntry {            # sealed under the key of the day, in the group's payload row
  request @0 :Data;                  # HMAC of the request under the key of the day
  outcome @1 :Data;                  # the answer as service/answer.h encodes it
}
