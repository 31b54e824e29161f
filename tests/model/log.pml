/* The log's protocol as a model: staging ring, writer, sync, loss of power. Checked by spin in ctest as model.log* (check.sh).
 *
 * | in here | in the code |
 * |---|---|
 * | Producer of one unit | PartitionLog::append, StagingRing::claim_fast, append_inline, finish |
 * | Producer of more | the same with StagingRing::claim_exact |
 * | gather() | StagingRing::take and give_back |
 * | serve() | PartitionLog::serve, write_pending, publish, stall, fail |
 * | discard(), seal() | PartitionLog::discard, StagingRing::seal and drained |
 * | rest(), wake() | Writer::rest and WriterPark: the futex handshake |
 * | Writer behind its loop | PartitionLog::finish_writing |
 * | Syncer | PartitionLog::sync_round and write_mark; of Syncer::run what takes requests |
 * | Closer | Log::close |
 * | lose_power() | what a disk may hold after a loss of power, and how far recovery reads it |
 *
 * One step is one access to shared memory or one system call; what a thread does with its own variables takes none. Memory is
 * sequentially consistent: the model is about the protocol; the weaker orderings are argued in ring.hpp and watched by
 * ThreadSanitizer. What a weaker ordering would do to the parking handshake is the variant WITHOUT_PARKING_ORDER. append()'s
 * early look at the partition's state is left out: the code says that nothing depends on it.
 *
 * The numbers are the code's, made small: the claim word holds the position (modulo 128 units) above the count (modulo 8), so
 * that both wrap, and the count carries into the position, within a few records. Of 16 units 12 are admitted; the last quarter
 * is for two fast producers with one unit, and one for the carry, each: fast_units = capacity / 4 / fast_producers - 1.
 *
 * The ring's run: FAST producers by fetch_add and EXACT ones by compare-and-swap, closing at any moment. The disk's run (-DDISK):
 * a disk that fills up, fails to write, fails to sync, and loses power at any moment; what the ring does is one step there.
 * -DWITHOUT_<x> takes one precaution away: then spin must find a violation, or this model proves nothing. */

#ifndef FAST
#define FAST 1
#endif
#ifndef EXACT
#define EXACT 1
#endif
#ifndef FAST_RECORDS
#define FAST_RECORDS 2  /* that each producer tries to append */
#endif
#ifndef EXACT_RECORDS
#define EXACT_RECORDS 1
#endif
#define EXACT_UNITS 2   /* longer than fast_units */
#define BATCH_RECORDS 2 /* at most in one batch */
#define BATCHES 8       /* more than there can be, as the next */
#define IDS 12

#define CAPACITY 16
#ifdef WITHOUT_ADMITTED_BOUND
#define ADMITTED CAPACITY
#else
#define ADMITTED (CAPACITY - CAPACITY / 4)
#endif

#define COUNTS 8
#define POSITIONS 128
#define SEAL_STEP 32
#define POSITION(word) ((word) / COUNTS)
#define COUNT(word) ((word) % COUNTS)
#define CLAIMED(word, units) (((word) + (units) * COUNTS + 1) % (POSITIONS * COUNTS))
#define DISTANCE(from, to) (((to) + POSITIONS - (from)) % POSITIONS)
#define PLACE(position) ((position) % CAPACITY)
/* A negative distance means empty. */
#define IS_FULL(used, units) ((used) < POSITIONS / 2 && (used) + (units) > ADMITTED)
/* One unit more when the count was the last before its overflow. */
#define UNITS(length, offset) ((length) + ((offset) % COUNTS == COUNTS - 1))

/* It begins shortly before the edges of the position and of the count, with one record in it that is committed and not taken,
 * and room for two units until the bound. */
#define FIRST_POSITION 120
#define FIRST_OFFSET 5
#define FIRST_LENGTH (ADMITTED - 2)
#define FIRST_ID 1

/* The ring. */
short claim_word = (FIRST_POSITION + FIRST_LENGTH) % POSITIONS * COUNTS + FIRST_OFFSET + 1;
byte consumed_units = FIRST_POSITION;
byte consumed_offset = FIRST_OFFSET;
byte commit_word[CAPACITY]; /* the frame's length in units; 0: not committed */
byte body[CAPACITY];        /* whose bytes stand in the unit; 0: clean */
bool sealed;                /* the writer's own, as is the next */
byte sealed_position;

/* Parking. `asleep` is what the kernel knows: until futex_wake. */
bool parked;
bool asleep;
bool stopping;
bool writer_ended;

/* Next offsets. */
byte claimed = FIRST_OFFSET + 1;
byte committed = FIRST_OFFSET + 1; /* all below are committed */
byte written = FIRST_OFFSET;
byte durable = FIRST_OFFSET;
byte mark = FIRST_OFFSET;
byte acked = FIRST_OFFSET;
#define SET(watermark, value) \
  d_step { \
    watermark = value; \
    assert(claimed >= committed && committed >= written && written >= durable && durable >= mark && durable >= acked) \
  }

/* What only the model knows. */
byte owner[CAPACITY];  /* whose claim covers the unit; 0: nobody's */
byte offset_of[IDS];   /* of the record, by the order of the claims */
bool accepted[IDS];    /* append() said so */
bool taken[IDS];       /* the writer has had it */
bool is_committed[16]; /* by offset */

#ifdef DISK
bool read_only;
byte batch_end[BATCHES];  /* next offset behind each batch that was written to the page cache */
byte batch_says[BATCHES]; /* the durable offset in its header */
bool stable[BATCHES];     /* on stable storage */
bool abandoned[BATCHES];  /* was dirty when a sync failed: the kernel calls it clean and never writes it */
byte batches;
byte unsynced_upto;       /* batches handed to the sync thread; 0 when it has taken them */
bool requested;
bool sync_failed;
bool disk_fills = true;   /* these may still happen, once each */
bool write_fails = true;
bool sync_fails = true;
#define RING_STEP atomic
#else
#define RING_STEP
#endif

#ifdef DISK
/* The power fails now: each batch that is not on stable storage is there or not, whatever became of those before it. Recovery
 * reads as far as the chain of checksums holds. Asked after each step that changes the disk or what was promised of it. */
inline lose_power() {
  lost = 0;
  recovered = FIRST_OFFSET;
  do
  :: lost < batches -> recovered = batch_end[lost]; lost++
  :: lost < batches && !stable[lost] -> break
  :: lost == batches -> break
  od;
  assert(recovered >= acked);   /* what was acknowledged survives */
  assert(recovered >= durable); /* and what a durable reader has seen: no offset is served with two contents */
  assert(recovered >= mark);    /* the mark calls nothing rotten that was torn */
  do                            /* nor does a batch that arrived without those before it */
  :: lost < batches -> assert(recovered >= batch_says[lost]); lost++
  :: else -> break
  od;
  lost = 0;
  recovered = 0
}
byte lost; /* of lose_power() alone, as is the next */
byte recovered;
#endif

inline wake() { /* WriterPark::wake: exchange, then futex_wake */
  if
  :: d_step { parked -> parked = false } -> asleep = false
  :: d_step { !parked -> skip }
  fi
}

/* ---- producers ---- */

/* The fetch_add, or the exchange that succeeds. Behind the seal it counts for nothing. */
inline claim() {
  d_step {
    word = claim_word;
    claim_word = CLAIMED(word, length);
    i = POSITION(word);
    do
    :: !sealed && i != POSITION(CLAIMED(word, length)) ->
       assert(owner[PLACE(i)] == 0); /* claims never overlap */
       owner[PLACE(i)] = id;
       i = (i + 1) % POSITIONS
    :: else -> break
    od;
    i = 0;
    if
    :: !sealed -> offset_of[id] = claimed; claimed++
    :: else
    fi
  }
}

inline copy_in() {
  d_step {
    do
    :: i < length -> body[PLACE(POSITION(word) + i)] = id; i++
    :: else -> break
    od;
    i = 0
  }
}

inline commit() {
  d_step {
    commit_word[PLACE(POSITION(word))] = length;
    is_committed[offset_of[id]] = true;
    do
    :: committed < claimed && is_committed[committed] -> committed++
    :: else -> break
    od
  }
}

proctype Producer(byte id; byte length; byte records) {
  short word;
  byte used;
  byte i;
  do
  :: records == 0 -> break
  :: records != 0 ->
     records--;
     RING_STEP {
       if
       :: length == 1 -> /* claim_fast */
          used = POSITION(claim_word);
          used = DISTANCE(consumed_units, used);
          if
          :: IS_FULL(used, length) -> goto refused
          :: else -> used = 0
          fi;
          claim();
          used = DISTANCE(consumed_units, POSITION(CLAIMED(word, length)));
          assert(used <= CAPACITY || used >= SEAL_STEP / 2);
#ifndef WITHOUT_LOOK_BEHIND_SEAL
          if
          :: used > CAPACITY -> goto refused
          :: else
          fi;
#endif
          used = 0
       :: else -> /* claim_exact */
          word = claim_word;
          do
          :: used = DISTANCE(consumed_units, POSITION(word));
             if
             :: IS_FULL(used, length + 1) -> goto refused
             :: else -> used = 0
             fi;
             if
#ifdef WITHOUT_EXCHANGE
             :: true -> claim(); break
#else
             :: atomic { claim_word == word -> claim() }; break
             :: atomic { claim_word != word -> word = claim_word }
#endif
             fi
          od
       fi;
#ifdef WITHOUT_COPY_BEFORE_COMMIT
       commit();
       copy_in();
#else
       copy_in();
#endif
       /* finish(): the offset from what is consumed, before the commit. */
       d_step {
         used = consumed_offset;
         used = used + (COUNT(word) + COUNTS - used % COUNTS) % COUNTS;
         assert(sealed || used == offset_of[id]);
         used = 0
       };
#ifndef WITHOUT_COPY_BEFORE_COMMIT
       commit();
#endif
       d_step { accepted[id] = true; id++; word = 0 }
     };
     if /* wake_if_parked() */
     :: parked -> wake()
     :: else
     fi;
     if
     :: false ->
refused: /* full or sealed: said at once, nothing is waited for */
        atomic { used = 0; word = 0 }
     :: else
     fi
  od
}

/* ---- the writer ---- */

/* One committed frame of take(): every unit of it holds its owner's bytes, and it is the next of the claims. */
inline look_at_frame() {
  d_step {
    length = commit_word[PLACE(position)];
    do
    :: i < length ->
       assert(body[PLACE(position + i)] != 0 && body[PLACE(position + i)] == owner[PLACE(position)]);
       i++
    :: else -> break
    od;
    i = 0;
    assert(offset_of[owner[PLACE(position)]] == consumed_offset + records);
    taken[owner[PLACE(position)]] = true;
    position = (position + UNITS(length, consumed_offset + records)) % POSITIONS;
    length = 0;
    records++
  }
}

inline clean(from) {
  d_step {
    i = from;
    do
    :: i != position -> body[PLACE(i)] = 0; commit_word[PLACE(i)] = 0; i = (i + 1) % POSITIONS
    :: else -> break
    od;
    i = 0
  }
}

inline give_back() {
  consumed_offset = consumed_offset + records;
  d_step {
    i = consumed_units;
    do
    :: i != position -> owner[PLACE(i)] = 0; i = (i + 1) % POSITIONS
    :: else -> break
    od;
    i = 0;
    begin = consumed_units;
    consumed_units = position
  }
}

/* Leaves in `records` how many it took. */
inline gather() {
  RING_STEP {
    position = consumed_units;
    do
    :: records < BATCH_RECORDS && commit_word[PLACE(position)] != 0 -> look_at_frame()
    :: records == BATCH_RECORDS || commit_word[PLACE(position)] == 0 -> break
    od;
    if
    :: records != 0 ->
#if defined(WITHOUT_CLEANING)
       give_back()
#elif defined(WITHOUT_CLEANING_FIRST)
       give_back();
       clean(begin)
#else
       clean(consumed_units);
       give_back()
#endif
    :: else
    fi;
    atomic { position = 0; begin = 0 }
  }
}

inline seal() {
  d_step {
    if
    :: !sealed ->
       sealed = true;
       sealed_position = POSITION(claim_word);
       claim_word = (claim_word + SEAL_STEP * COUNTS) % (POSITIONS * COUNTS)
    :: else
    fi
  }
}
#define DRAINED (sealed && consumed_units == sealed_position)
#define HAS_CLAIMS (pending == 0 && ((sealed && !DRAINED) || (!sealed && COUNT(claim_word) != consumed_offset % COUNTS)))

#ifdef DISK
inline discard() {
  seal();
  pending = 0;
  do
  :: records = 0;
     gather();
     if
     :: records == 0 -> break
     :: else
     fi
  od
}

inline fail() {
  read_only = true;
  wake()
}

inline publish() {
#ifdef WITHOUT_WRITTEN_FIRST
  unsynced_upto = batches;
  SET(written, pending);
#else
  SET(written, pending);
  unsynced_upto = batches;
#endif
  d_step { requested = true; pending = 0 }
}

inline serve() {
  d_step { worked = false; stalled = false };
  if
  :: read_only -> discard()
  :: else ->
     if
     :: pending == 0 ->
        gather();
        d_step { pending = (records != 0 -> consumed_offset : 0); records = 0 }
     :: else
     fi;
     if
     :: pending != 0 ->
        if /* the pwrite */
        :: atomic { batch_end[batches] = pending; batch_says[batches] = durable; batches++; worked = true; lose_power() };
           publish()
        :: d_step { disk_fills -> disk_fills = false; stalled = true }
        :: d_step { write_fails -> write_fails = false };
           fail();
           discard()
        fi
     :: else
     fi
  fi
}
#else
inline serve() {
  d_step { worked = false; stalled = false };
  gather();
  if
  :: records != 0 -> SET(written, consumed_offset); d_step { worked = true; records = 0 }
  :: else
  fi
}
#endif

/* The yield, when there are claims, needs no step: the others may run at any time. */
inline rest() {
#if defined(WITHOUT_PARKING_ORDER)
  if /* the look before the store: what weaker orderings would allow */
  :: stopping || HAS_CLAIMS -> goto served
  :: else -> parked = true
  fi;
#elif defined(WITHOUT_SECOND_LOOK)
  parked = true;
#else
  parked = true;
  if
  :: stopping -> parked = false; goto served
  :: else
  fi;
  if
  :: HAS_CLAIMS -> parked = false; goto served
  :: else
  fi;
#endif
  d_step { asleep = parked }; /* futex_wait: only while the word still says so */
end_asleep:
  if
  :: !asleep
  :: stalled -> asleep = false /* the timeout */
  fi;
  parked = false
}

proctype Writer() {
  byte position;
  byte length;
  byte records;
  byte begin;
  byte i;
  byte pending; /* the end of the batch that is gathered and not written; 0: none */
  bool worked;
  bool stalled;
served:
  do
  :: stopping -> break
  :: else ->
     serve();
     if
     :: worked
     :: else -> rest()
     fi
  od;
  seal();
  do
  :: DRAINED && pending == 0 -> break
  :: else -> serve()
  od;
  writer_ended = true
}

/* ---- sync and close ---- */

#ifdef DISK
proctype Syncer() {
  byte upto;
  byte b;
end:
  do
  :: atomic { requested -> requested = false; upto = 0 };
     if
     :: read_only -> goto end
     :: else
     fi;
     d_step { upto = unsynced_upto; unsynced_upto = 0 };
     if
     :: upto == 0 -> goto end
     :: else
     fi;
#ifdef WITHOUT_SYNC_BEFORE_ACK
     atomic { SET(durable, batch_end[upto - 1]); SET(acked, durable); lose_power() };
#endif
#ifdef WITHOUT_SYNC_BEFORE_MARK
     atomic { mark = batch_end[upto - 1]; lose_power() };
#endif
     if /* fdatasync */
     :: d_step {
          do
          :: b < upto -> stable[b] = stable[b] || !abandoned[b]; b++
          :: else -> break
          od;
          b = 0
        }
     :: d_step {
          sync_fails -> sync_fails = false;
          sync_failed = true;
          do
          :: b < batches -> abandoned[b] = !stable[b]; b++
          :: else -> break
          od;
          b = 0
        };
#ifndef WITHOUT_READ_ONLY
        fail();
#endif
        goto end
     fi;
     atomic { SET(durable, batch_end[upto - 1]); lose_power() };
     atomic { assert(!sync_failed); SET(acked, durable); lose_power() }; /* none behind a failed sync */
     if
     :: atomic { SET(mark, durable); lose_power() }
     :: true /* later */
     fi
  od
}

#else
proctype Closer() {
  stopping = true;
  wake();
  writer_ended
}
#endif

/* When nothing moves any more nobody sleeps over a claim, and what was accepted has been taken. */
proctype Quiet() {
  byte i;
end:
  timeout -> d_step {
    do
    :: i < IDS -> assert(!accepted[i] || taken[i]); i++
    :: else -> break
    od;
    assert(claimed == committed);
#ifdef DISK
    assert(read_only || (written == claimed && durable == written))
#else
    assert(writer_ended && written == claimed)
#endif
  }
}

init {
  byte i;
  atomic {
    do
    :: i < FIRST_LENGTH -> owner[PLACE(FIRST_POSITION + i)] = FIRST_ID; body[PLACE(FIRST_POSITION + i)] = FIRST_ID; i++
    :: else -> break
    od;
    i = 0;
    commit_word[PLACE(FIRST_POSITION)] = FIRST_LENGTH;
    offset_of[FIRST_ID] = FIRST_OFFSET;
    accepted[FIRST_ID] = true;
    is_committed[FIRST_OFFSET] = true;
#if FAST > 0
    run Producer(2, 1, FAST_RECORDS);
#endif
#if FAST > 1
    run Producer(2 + FAST_RECORDS, 1, FAST_RECORDS);
#endif
#if EXACT > 0
    run Producer(2 + FAST * FAST_RECORDS, EXACT_UNITS, EXACT_RECORDS);
#endif
#ifdef DISK
    run Syncer();
#else
    run Closer();
#endif
    run Writer();
    run Quiet()
  }
}
