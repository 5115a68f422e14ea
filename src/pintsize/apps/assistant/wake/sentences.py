"""What a synthesizer says so that training hears more than digits and orders: everyday speech, and near words."""

from __future__ import annotations

EVERYDAY = (
    "good morning, did you sleep well", "what time is it now", "could you open the window please",
    "the weather will be nice tomorrow", "I left my keys on the kitchen table", "she is going to call you later",
    "we need bread, milk and some apples", "turn the music down a little", "how was your day at work",
    "the train leaves at half past seven", "put the book back on the shelf", "I think it is going to rain",
    "please remind me to water the plants", "dinner will be ready in ten minutes", "where did you park the car",
    "that film was longer than I expected", "can you hear me now", "let us meet in front of the station",
    "my brother lives in another city", "the children are playing outside", "he forgot his jacket again",
    "there is a letter for you", "I would like to learn the guitar", "switch off the light in the hallway",
    "nobody answered the door", "it costs about twenty five dollars", "take the second street on the left",
    "the doctor said it is nothing serious", "our neighbours have a new dog", "I have never been to Iceland",
    "is there any coffee left", "do not forget your umbrella", "the meeting was moved to Thursday",
    "she painted the fence green", "which one do you like better", "they won the game in the last minute",
    "my phone is almost out of battery", "wait a moment, I will be right back", "the soup needs more salt",
    "he has been waiting for an hour", "yes", "no, thank you", "maybe later", "of course", "hello", "excuse me",
    "stop", "go on", "all right", "never mind", "seriously", "one moment", "I do not know", "come here",
)  # fmt: skip
#: words of the public set → what sounds like a part of them, or nearly like them
NEAR = {
    "alexa": ("Alex", "election", "a lecture", "collect a", "Alexander", "relax a bit", "elastic", "a letter"),
    "computer": ("compute", "commuter", "compared to", "competitor", "come pick her up", "compact", "pewter", "tutor"),
    "jarvis": ("jar", "service", "harvest", "Travis", "jars of honey", "charges", "Elvis", "nervous"),
    "smart_mirror": ("smart phone", "mirror", "smart", "rear mirror", "start marrow", "small mirror", "smart meter"),
    "snowboy": ("snow", "boy", "snowball", "cowboy", "no boy", "snowboard", "so boring", "toy", "showboat"),
    "view_glass": ("view", "glass", "few classes", "review", "new glass", "view last", "wine glass", "few gas"),
}  # fmt: skip
