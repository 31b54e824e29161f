// Every place in this room where a sync or a checksum keeps a promise, by name. The product compiles all of them
// unconditionally: without() is the constant `false` there. The fault tests compile the room a second time with
// IOTSTREAM_LOG_MUTABLE, take one away at run time, and prove that a disk exists on which its absence is seen: a sync that no
// test misses is either not needed or not tested. tests/fault/README.md has the table.
#pragma once

namespace iotstream::log::mutation {

enum class Site : unsigned char {
  none,
  // syncs
  segment_sync,            ///< a segment's frames before they are acknowledged
  segment_name_sync,       ///< a segment's name before its frames are acknowledged
  recovered_sync,          ///< what a killed process had written, before it is served as durable
  retention_sync,          ///< the removal of a segment before that of the next
  aside_sync,              ///< a torn tail's copy before the tail is cut
  aside_name_sync,         ///< its name
  set_aside_sync,          ///< the renaming of a segment that is kept beside
  mark_sync,               ///< the mark of a clean end
  mark_name_sync,          ///< its name
  groups_sync,             ///< committed offsets before commit() returns
  groups_name_sync,        ///< the name of the file that holds them
  groups_found_sync,       ///< committed offsets that a killed process had written, before they are served
  groups_found_name_sync,  ///< the name of the file that holds them
  topic_directories_sync,  ///< the folders of a topic before its file
  log_directory_sync,      ///< the name of the topic's folder
  topic_found_sync,        ///< the names in a topic's folder, whose creator may have been killed
  root_sync,               ///< the name of the log's folder
  // checks
  frame_crc,
  frame_salt,
  frame_position,
  frame_chain,
  segment_header_crc,
  segment_identity,  ///< that a segment is of this topic, partition and offset
  index_owner,       ///< that an index is of this topic and partition
  index_crc,
  index_entries_crc,
  mark_crc,
  mark_owner,  ///< that a mark is of this topic and partition
  groups_crc,
  topic_crc,
};

#ifdef IOTSTREAM_LOG_MUTABLE
inline Site removed = Site::none;  ///< set before a log is opened
inline bool without(Site site) { return removed == site; }
#else
constexpr bool without(Site) { return false; }
#endif

}  // namespace iotstream::log::mutation
