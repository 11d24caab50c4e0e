"""How long silence is borne: everything that decides when work counts as lost."""

from datetime import timedelta

from django.conf import settings

# A batch that no worker speaks of for so long is sent again.
LEASE = timedelta(seconds=settings.GENERATION_LEASE_SECONDS)
# A worker that does not speak for so long counts as gone: nothing new is sent to it.
SILENCE = LEASE * 0.75
# A message waits at a broker no longer than this while others are worked on: then it was lost.
LONGEST_WAIT = LEASE * 15
# Records of a default worker that was away are read first: they may be for the very units that look lost.
GRACE = LEASE / 12
# After the broker refused a message.
BROKER_PAUSE = LEASE / 6
