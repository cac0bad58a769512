"""Get objects back from S3. A module of its own: boto3 takes memory, and few sites have such a destination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from treegarth.features.deliveries.model import DeliveryObject
from treegarth.features.deliveries.retrieval import Copying, identifier_of
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable
from treegarth.features.deliveries.senders.s3 import S3Sender
from treegarth.phrases import P_


class S3Retriever(S3Sender, Copying):
    """The object under the key that it was sent to, where it is the one that is wanted."""

    def files(self, objects: Sequence[DeliveryObject]) -> Iterator[bytes]:
        """Raises DestinationUnreachable where S3 does not hand them out."""
        try:
            for one in objects:
                for key in self._keys(one):
                    head: Any = self._head(key)
                    if head is None:
                        continue
                    content: bytes = self._client.get_object(Bucket=self._address.bucket, Key=key)["Body"].read()
                    if identifier_of(content) == one.orthanc_instance_id:
                        yield content
                        break
        except (ClientError, BotoCoreError) as error:
            raise DestinationUnreachable(P_("It could not be read: %(kind)s.", kind=type(error).__name__)) from error
